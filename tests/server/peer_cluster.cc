#include "peer_cluster.h"

#include <doctest/doctest.h>

namespace truss::server::testing {

PeerCluster::PeerCluster(std::size_t size, std::function<void(Config&)> change, std::uint64_t seed)
    : world(seed) {
  InitialCluster founders;
  for (std::size_t i = 0; i < size; ++i) {
    const std::string name(1, static_cast<char>('a' + i));
    founders[name] = {url(name)};
  }
  for (const auto& [name, urls] : founders) {
    Config& config = members_[name].config = small_config();
    config.name = name;
    config.advertise_peer_urls = urls;
    config.initial_cluster = founders;
    if (change) change(config);
  }
  for (const auto& [name, urls] : founders) REQUIRE_MESSAGE(start(name), error(name));
}

PeerCluster::~PeerCluster() {
  for (auto& [name, m] : members_) wire.detach(url(name));
}

bool PeerCluster::start(const std::string& name) {
  Slot& slot = members_[name];
  if (!slot.disk) slot.disk = std::make_unique<SimFileSystem>();
  slot.transport = std::make_unique<WireTransport>(wire, url(name));
  slot.queries = std::make_unique<WireQueries>(wire, url(name));
  auto server = std::make_unique<SimServer>(
      world, *slot.disk, slot.config, *slot.transport, name,
      [&](FileSystem& files) {
        slot.transport->set_disk(files, slot.config.data_dir + "/member/snap");
      },
      *slot.queries);
  slot.error = server->error();
  if (!server->started()) return false;
  slot.server = std::move(server);
  wire.serve(url(name), &**slot.server);
  return true;
}

bool PeerCluster::join(const std::string& name, std::function<void(Config&)> change) {
  Config& config = members_[name].config = small_config();
  config.name = name;
  config.advertise_peer_urls = {url(name)};
  config.new_cluster = false;
  config.initial_cluster[name] = {url(name)};
  for (const auto& [other, m] : members_) {
    if (m.server) config.initial_cluster[other] = {url(other)};
  }
  if (change) change(config);
  return start(name);
}

void PeerCluster::kill(const std::string& name) {
  wire.detach(url(name));
  members_[name].server.reset();
}

void PeerCluster::stop(const std::string& name) {
  SimServer& server = (*this)[name];
  server.member().call([&] { server->stop(); });
  kill(name);
}

void PeerCluster::power_off(const std::string& name) {
  kill(name);
  SeededRandom random(1);
  disk(name).crash(random, truss::testing::CrashStyle::kLoseAll);
}

std::string PeerCluster::leader() {
  std::string found;
  run_until([&] { return !(found = agreed_leader()).empty(); });
  return found;
}

std::string PeerCluster::follower() {
  const std::string leads = leader();
  for (auto& [name, m] : members_) {
    if (m.server && name != leads) return name;
  }
  return "";
}

std::string PeerCluster::agreed_leader() {
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

bool PeerCluster::same_hash() {
  std::map<std::uint32_t, int> hashes;
  std::map<std::uint64_t, int> applied;
  for (auto& [name, m] : members_) {
    if (!m.server) continue;
    ++hashes[(*m.server)->store().hash_kv(0)->hash];
    ++applied[(*m.server)->status().applied.value()];
  }
  return hashes.size() == 1 && applied.size() == 1;
}

Result<ApplyResponse> PeerCluster::add(const std::string& at, const std::string& name,
                                       bool learner) {
  return await<ApplyResponse>(
      [&](auto done) { (*this)[at]->add_member({url(name)}, learner, std::move(done)); });
}

Result<ApplyResponse> PeerCluster::remove(const std::string& at, raft::NodeId id) {
  return await<ApplyResponse>([&](auto done) { (*this)[at]->remove_member(id, std::move(done)); });
}

Result<ApplyResponse> PeerCluster::promote(const std::string& at, raft::NodeId id) {
  return await<ApplyResponse>([&](auto done) { (*this)[at]->promote_member(id, std::move(done)); });
}

}  // namespace truss::server::testing
