#include <doctest/doctest.h>

#include "sim_member.h"

/// What comes in faster than the raft thread takes it.
using namespace truss;
using namespace truss::server;
using namespace truss::server::testing;

namespace {

constexpr std::size_t kRoom = 16384;

/// Sends nothing, and shows where to put what comes in.
class Inward final : public Transport {
 public:
  void start(TransportSink& to) override { sink = &to; }
  void stop() override {}
  void send(std::vector<raft::Message>) override {}
  void send_snapshot(raft::Message, std::unique_ptr<SnapshotReader>) override {}
  void add_peer(raft::NodeId, const std::vector<std::string>&) override {}
  void remove_peer(raft::NodeId) override {}
  void update_peer(raft::NodeId, const std::vector<std::string>&) override {}
  MonoTime active_since(raft::NodeId) const override { return {}; }

  TransportSink* sink = nullptr;
};

struct Flooded {
  Flooded() : server(world, disk, small_config(), inward, "m1") {
    REQUIRE(server.started());
    REQUIRE(server.run_until_ready());
  }
  void send(std::size_t messages, std::size_t bytes = 0) {
    raft::Message m;
    m.type = bytes > 0 ? raft::MessageType::kApp : raft::MessageType::kHeartbeatResp;
    m.from = raft::NodeId{7};
    m.to = server->member_id();
    const SharedBytes data = SharedBytes::copy(std::string(bytes, 'x'));
    if (bytes > 0) m.entries.push_back({{}, {}, raft::EntryType::kNormal, data});
    for (std::size_t i = 0; i < messages; ++i) inward.sink->receive(m);
    world.run_for(std::chrono::milliseconds(50));
  }
  void send_at_once(std::size_t messages) {
    raft::Message m;
    m.type = raft::MessageType::kHeartbeatResp;
    m.from = raft::NodeId{7};
    m.to = server->member_id();
    inward.sink->receive_all(std::vector<raft::Message>(messages, m));
    world.run_for(std::chrono::milliseconds(50));
  }
  std::uint64_t lost() { return server->counters().messages_lost; }

  SimRuntime world{3};
  SimFileSystem disk;
  Inward inward;
  SimServer server;
};

}  // namespace

TEST_CASE("messages that find no room are dropped and counted, and the member goes on") {
  Flooded f;
  f.send(kRoom);
  CHECK(f.lost() == 0);
  f.send(kRoom + 500);
  CHECK(f.lost() == 500);
  CHECK(f.server.logger().contains("dropped messages of peers"));
  CHECK(*f.server.put("after", "1"));
}

TEST_CASE("of a batch that finds no room the part that fits is taken") {
  Flooded f;
  f.send_at_once(kRoom);
  CHECK(f.lost() == 0);
  f.send_at_once(kRoom + 500);
  CHECK(f.lost() == 500);
  CHECK(*f.server.put("after", "1"));
}

TEST_CASE("a sink that knows nothing of batches gets them one by one, in order") {
  struct Plain final : TransportSink {
    std::vector<std::uint64_t> came;
    void receive(raft::Message m) override { came.push_back(m.index.value()); }
    void report_unreachable(raft::NodeId) override {}
    void report_snapshot(raft::NodeId, bool) override {}
    void removed() override {}
  } sink;
  std::vector<raft::Message> batch(3);
  for (std::size_t i = 0; i < batch.size(); ++i) batch[i].index = raft::Index(i + 1);
  sink.receive_all(std::move(batch));
  CHECK(sink.came == std::vector<std::uint64_t>{1, 2, 3});
}

TEST_CASE("so are those whose payload finds none, but not what carries none") {
  Flooded f;
  f.send(300, 1 << 20);
  CHECK(f.lost() == 300 - 256);
  f.send(10);
  CHECK(f.lost() == 300 - 256);
}
