#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim_member.h"
#include "sim_wire.h"

namespace truss::server::testing {

/// Members on disks of their own, over a simulated wire.
class SimCluster {
 public:
  using Names = std::vector<std::string>;
  using Tune = std::function<void(Config&)>;

  /// Members a, b, c on empty disks, running.
  explicit SimCluster(std::uint64_t seed = 11, Tune tune = {});
  /// The same three on disks that hold their directories already (moved in by name); not running.
  SimCluster(std::uint64_t seed, Tune tune,
             std::map<std::string, std::unique_ptr<SimFileSystem>> disks);
  ~SimCluster();

  static const Names& names();
  static raft::NodeId id_of(const std::string& name);
  static std::string url_of(const std::string& name) { return "http://" + name + ":1"; }

  void start(const std::string& name);
  /// What keeps it from starting; empty if it runs.
  std::string try_start(const std::string& name);
  /// kill -9.
  void kill(const std::string& name);
  /// Loses power, with what was not synced in doubt; start() it again.
  void crash(const std::string& name, Random& random);
  bool runs(const std::string& name) const;
  /// Started, and neither killed nor crashed since; it may have ended itself.
  bool exists(const std::string& name) const { return members_.at(name).server != nullptr; }
  SimServer& operator[](const std::string& name) { return *members_.at(name).server; }
  WireTransport& transport(const std::string& name) { return *members_.at(name).transport; }
  SimFileSystem& disk(const std::string& name) { return *members_.at(name).disk; }

  /// Runs until all running members but those cut off know one leader; its name, "" if that takes
  /// over a minute.
  std::string leader(const Names& cut_off = {});
  /// Another member than those.
  static std::string other(const Names& than);
  /// Puts `count` keys through `name`; all must be answered.
  void put_many(const std::string& name, int count, const std::string& prefix = "k");
  /// All running members hold the same history.
  bool same_hash();
  bool run_until_same(Duration limit = std::chrono::minutes(2));

  SimRuntime world;
  Wire wire;

 private:
  struct Slot {
    std::unique_ptr<SimFileSystem> disk;
    std::unique_ptr<WireTransport> transport;
    std::unique_ptr<SimServer> server;
  };
  Config config_of(const std::string& name) const;
  std::string agreed_leader(const Names& cut_off);

  Tune tune_;
  std::map<std::string, Slot> members_;
};

}  // namespace truss::server::testing
