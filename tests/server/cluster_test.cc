#include <doctest/doctest.h>

#include <map>

#include "sim_member.h"

/// Three members over a transport in memory: what a cluster will need of the loop works already.
using namespace truss;
using namespace truss::server;
using namespace truss::server::testing;

namespace {

/// Carries messages between the members of one world, in order, after a moment; drops those to and
/// from members that are cut off.
class Wire {
 public:
  explicit Wire(SimRuntime& world) : executor_(world.make_executor("wire")), world_(world) {}
  ~Wire() { executor_->stop(); }

  void attach(raft::NodeId id, TransportSink* sink) { sinks_[id] = sink; }
  void detach(raft::NodeId id) { sinks_.erase(id); }
  void carry(raft::Message message) {
    executor_->post_at(world_.clock().now() + std::chrono::milliseconds(1),
                       [this, message = std::move(message)]() mutable {
                         if (!sinks_.contains(message.from)) return;
                         const auto to = sinks_.find(message.to);
                         if (to != sinks_.end()) to->second->receive(std::move(message));
                       });
  }

 private:
  std::unique_ptr<Executor> executor_;
  SimRuntime& world_;
  std::map<raft::NodeId, TransportSink*> sinks_;
};

class WireTransport final : public Transport {
 public:
  WireTransport(Wire& wire, raft::NodeId self) : wire_(wire), self_(self) {}
  void start(TransportSink& sink) override { wire_.attach(self_, &sink); }
  void stop() override { wire_.detach(self_); }
  void send(std::vector<raft::Message> messages) override {
    for (raft::Message& m : messages) wire_.carry(std::move(m));
  }
  void send_snapshot(raft::Message, std::unique_ptr<SnapshotReader>) override {}
  void add_peer(raft::NodeId, const std::vector<std::string>&) override {}
  void remove_peer(raft::NodeId) override {}
  void update_peer(raft::NodeId, const std::vector<std::string>&) override {}
  MonoTime active_since(raft::NodeId) const override { return MonoTime(Duration(1)); }

 private:
  Wire& wire_;
  const raft::NodeId self_;
};

/// Members a, b, c on disks of their own.
class Cluster {
 public:
  Cluster() {
    for (const char* name : {"a", "b", "c"}) {
      members_[name].disk = std::make_unique<SimFileSystem>();
      start(name);
    }
  }
  ~Cluster() {
    for (auto& [name, m] : members_) wire.detach(id_of(name));
  }

  void start(const std::string& name) {
    Config config = small_config();
    config.name = name;
    config.advertise_peer_urls = {"http://" + name + ":1"};
    config.initial_cluster = {{"a", {"http://a:1"}}, {"b", {"http://b:1"}}, {"c", {"http://c:1"}}};
    Slot& slot = members_[name];
    slot.transport = std::make_unique<WireTransport>(wire, id_of(name));
    slot.server = std::make_unique<SimServer>(world, *slot.disk, config, *slot.transport, name);
    REQUIRE_MESSAGE(slot.server->started(), slot.server->error());
  }
  void kill(const std::string& name) {
    wire.detach(id_of(name));
    members_[name].server.reset();
  }
  SimServer& operator[](const std::string& name) { return *members_[name].server; }
  /// Runs until all running members know one leader; its name, "" if that takes over a minute.
  std::string leader() {
    std::string found;
    world.run_until([&] { return !(found = agreed_leader()).empty(); }, std::chrono::minutes(1));
    return found;
  }
  bool same_hash() {
    std::map<std::uint32_t, int> hashes;
    std::map<std::uint64_t, int> applied;
    for (auto& [name, m] : members_) {
      if (!m.server) continue;
      ++hashes[(*m.server)->store().hash_kv(0)->hash];
      ++applied[(*m.server)->status().applied.value()];
    }
    return hashes.size() == 1 && applied.size() == 1;
  }

  SimRuntime world{11};
  Wire wire{world};

 private:
  struct Slot {
    std::unique_ptr<SimFileSystem> disk;
    std::unique_ptr<WireTransport> transport;
    std::unique_ptr<SimServer> server;
  };

  static raft::NodeId id_of(const std::string& name) {
    return compute_member_id({"http://" + name + ":1"}, "fix-single");
  }
  std::string agreed_leader() {
    std::map<raft::NodeId, int> leaders;
    int running = 0;
    std::string name_of_leader;
    for (auto& [name, m] : members_) {
      if (!m.server) continue;
      ++running;
      const Status status = (*m.server)->status();
      if (status.leader != raft::kNoNode) ++leaders[status.leader];
      if (status.is_leader) name_of_leader = name;
    }
    return leaders.size() == 1 && leaders.begin()->second == running ? name_of_leader : "";
  }

  std::map<std::string, Slot> members_;
};

}  // namespace

TEST_CASE("three members found one cluster, agree, and hold the same data") {
  Cluster cluster;
  const std::string leader = cluster.leader();
  REQUIRE(!leader.empty());
  for (const char* name : {"a", "b", "c"}) {
    // Followers forward, and answer when they have applied it themselves.
    const auto done = cluster[name].put(name, "value");
    REQUIRE(done);
    REQUIRE_MESSAGE(*done, done->error().message);
    CHECK(cluster[name].get(name) == "value");
    CHECK(cluster[name].read_index());
  }
  REQUIRE(cluster.world.run_until([&] { return cluster.same_hash(); }));
  CHECK(cluster["a"]->cluster_id() == cluster["c"]->cluster_id());
  CHECK(cluster["b"]->members()->size() == 3);
  CHECK(cluster["b"]->members()->front().started());
}

TEST_CASE("a killed leader is replaced, and catches up when it comes back") {
  Cluster cluster;
  const std::string first = cluster.leader();
  REQUIRE(!first.empty());
  REQUIRE(*cluster[first].put("before", "1"));
  cluster.kill(first);
  const std::string second = cluster.leader();
  REQUIRE(!second.empty());
  CHECK(second != first);
  CHECK(cluster[second].read_index());
  CHECK(cluster[second].get("before") == "1");
  for (int i = 0; i < 20; ++i) REQUIRE(*cluster[second].put("k" + std::to_string(i), "v"));
  cluster.start(first);
  REQUIRE(cluster.world.run_until([&] { return cluster.same_hash(); }, std::chrono::minutes(1)));
  CHECK(cluster[first].get("k19") == "v");
  CHECK(cluster[first].member().alive());
}

TEST_CASE("without a quorum nothing is answered, and requests time out with etcd's text") {
  Cluster cluster;
  const std::string leader = cluster.leader();
  REQUIRE(!leader.empty());
  for (const char* name : {"a", "b", "c"}) {
    if (name != leader) cluster.kill(name);
  }
  std::optional<Error> put;
  std::optional<Error> read;
  cluster[leader]->propose(Op::kPut, SimServer::put_body("k", "v"),
                           [&](Result<ApplyResponse> r) { put = r ? Error{} : r.error(); });
  cluster[leader]->linearizable_read_notify([&](Result<> r) { read = r ? Error{} : r.error(); });
  cluster.world.run_for(std::chrono::seconds(6));
  CHECK(!put);
  cluster.world.run_for(std::chrono::seconds(4));
  REQUIRE(put);
  REQUIRE(read);
  CHECK(put->message == "etcdserver: request timed out");
  CHECK(read->message == "etcdserver: request timed out");
  CHECK(!cluster[leader].get("k"));
}

TEST_CASE("leadership moves on request") {
  Cluster cluster;
  const std::string first = cluster.leader();
  REQUIRE(!first.empty());
  const std::string target = first == "a" ? "b" : "a";
  std::optional<Result<>> moved;
  cluster[first]->move_leader(cluster[target]->member_id(), [&](Result<> r) { moved = r; });
  REQUIRE(cluster.world.run_until([&] { return moved.has_value(); }));
  CHECK(*moved);
  CHECK(cluster.leader() == target);
}
