#include "sim_cluster.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

namespace truss::server::testing {

const SimCluster::Names& SimCluster::names() {
  static const Names all = {"a", "b", "c"};
  return all;
}

raft::NodeId SimCluster::id_of(const std::string& name) {
  return compute_member_id({url_of(name)}, "fix-single");
}

SimCluster::SimCluster(std::uint64_t seed, Tune tune)
    : world(seed), wire(world), tune_(std::move(tune)) {
  for (const std::string& name : names()) {
    members_[name].disk = std::make_unique<SimFileSystem>();
    start(name);
  }
}

SimCluster::SimCluster(std::uint64_t seed, Tune tune,
                       std::map<std::string, std::unique_ptr<SimFileSystem>> disks)
    : world(seed), wire(world), tune_(std::move(tune)) {
  for (auto& [name, disk] : disks) members_[name].disk = std::move(disk);
}

SimCluster::~SimCluster() {
  for (auto& [name, m] : members_) {
    if (m.server) kill(name);
  }
}

Config SimCluster::config_of(const std::string& name) const {
  Config config = small_config();
  config.name = name;
  config.advertise_peer_urls = {url_of(name)};
  for (const std::string& n : names()) config.initial_cluster[n] = {url_of(n)};
  if (tune_) tune_(config);
  return config;
}

std::string SimCluster::try_start(const std::string& name) {
  Slot& slot = members_.at(name);
  slot.transport = std::make_unique<WireTransport>(wire, url_of(name));
  const Config config = config_of(name);
  slot.server = std::make_unique<SimServer>(
      world, *slot.disk, config, *slot.transport, name, [&](FileSystem& files) {
        slot.transport->set_disk(files, config.data_dir + "/member/snap");
      });
  if (slot.server->started()) return {};
  std::string why = slot.server->member().alive() ? slot.server->error()
                                                  : "died: " + slot.server->member().death();
  slot.server.reset();
  return why;
}

void SimCluster::start(const std::string& name) {
  const std::string why = try_start(name);
  REQUIRE_MESSAGE(why.empty(), why);
}

void SimCluster::kill(const std::string& name) {
  wire.detach(url_of(name));
  members_.at(name).server.reset();
}

void SimCluster::crash(const std::string& name, Random& random) {
  if (exists(name)) kill(name);
  Slot& slot = members_.at(name);
  slot.disk = slot.disk->crashed(random);
}

bool SimCluster::runs(const std::string& name) const {
  const auto& server = members_.at(name).server;
  return server && server->member().alive();
}

std::string SimCluster::agreed_leader(const Names& cut_off) {
  std::set<raft::NodeId> leaders;
  std::string name_of_leader;
  for (auto& [name, m] : members_) {
    if (!runs(name) || std::find(cut_off.begin(), cut_off.end(), name) != cut_off.end()) continue;
    const Status status = (*m.server)->status();
    leaders.insert(status.leader);
    if (status.is_leader) name_of_leader = name;
  }
  return leaders.size() == 1 && *leaders.begin() != raft::kNoNode ? name_of_leader : "";
}

std::string SimCluster::leader(const Names& cut_off) {
  std::string found;
  world.run_until([&] { return !(found = agreed_leader(cut_off)).empty(); },
                  std::chrono::minutes(1));
  return found;
}

std::string SimCluster::other(const Names& than) {
  for (const std::string& name : names()) {
    if (std::find(than.begin(), than.end(), name) == than.end()) return name;
  }
  return {};
}

void SimCluster::put_many(const std::string& name, int count, const std::string& prefix) {
  int answered = 0;
  for (int i = 0; i < count; ++i) {
    const std::string key = prefix + std::to_string(i);
    (*this)[name]->propose(Op::kPut, SimServer::put_body(key, "value of " + key),
                           [&answered](const Result<ApplyResponse>& r) { answered += r ? 1 : 0; });
  }
  REQUIRE(world.run_until([&] { return answered == count; }, std::chrono::minutes(1)));
}

bool SimCluster::same_hash() {
  std::set<raft::Index> applied;
  for (auto& [name, m] : members_) {
    if (runs(name)) applied.insert((*m.server)->status().applied);
  }
  if (applied.size() != 1) return false;
  std::set<std::uint32_t> hashes;
  for (auto& [name, m] : members_) {
    if (!runs(name)) continue;
    const auto hash = (*m.server)->store().hash_kv(0);
    REQUIRE_MESSAGE(hash, (hash ? "" : hash.error().message));
    hashes.insert(hash->hash);
  }
  return hashes.size() == 1;
}

bool SimCluster::run_until_same(Duration limit) {
  return world.run_until([&] { return same_hash(); }, limit);
}

}  // namespace truss::server::testing
