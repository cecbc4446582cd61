#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "wire_queries.h"

namespace truss::server::testing {

/// Members named a, b, c, … at `http://NAME:1`, on disks of their own, in one world.
class PeerCluster {
 public:
  /// Starts a new cluster of a, b and c (or of the first `size` letters). `change` may alter each
  /// founder's config.
  explicit PeerCluster(std::size_t size = 3, std::function<void(Config&)> change = nullptr,
                       std::uint64_t seed = 11);
  ~PeerCluster();

  static std::string url(const std::string& name) { return "http://" + name + ":1"; }
  /// The config of a founder; change it before start().
  Config& config(const std::string& name) { return members_[name].config; }
  /// Starts it on the disk that it has, or on a new one. False if it refused: see error().
  bool start(const std::string& name);
  /// A member that joins the others, after add(). `change` may alter its config.
  bool join(const std::string& name, std::function<void(Config&)> change = nullptr);
  const std::string& error(const std::string& name) { return members_[name].error; }
  void kill(const std::string& name);
  void stop(const std::string& name);
  /// Power loss: what was not synced is gone. Start it again.
  void power_off(const std::string& name);
  SimFileSystem& disk(const std::string& name) { return *members_[name].disk; }
  void wipe(const std::string& name) { members_[name].disk = std::make_unique<SimFileSystem>(); }
  bool runs(const std::string& name) { return members_[name].server != nullptr; }

  SimServer& operator[](const std::string& name) { return *members_[name].server; }
  WireTransport& transport(const std::string& name) { return *members_[name].transport; }
  raft::NodeId id(const std::string& name) { return (*this)[name]->member_id(); }
  /// Runs until all running members know one leader; its name, "" if that takes over a minute.
  std::string leader();
  std::string follower();  ///< some member that does not lead
  bool run_until(const std::function<bool()>& done, Duration limit = std::chrono::minutes(1)) {
    return world.run_until(done, limit);
  }
  /// Runs until the member's peers count as healthy.
  void settle() { world.run_for(std::chrono::seconds(6)); }
  /// Same data and same applied index everywhere.
  bool same_hash();

  /// Membership changes through the member `at`; waits for the answer.
  Result<ApplyResponse> add(const std::string& at, const std::string& name, bool learner = false);
  Result<ApplyResponse> remove(const std::string& at, raft::NodeId id);
  Result<ApplyResponse> promote(const std::string& at, raft::NodeId id);
  /// Waits for a callback's answer.
  template <class T>
  Result<T> await(const std::function<void(absl::AnyInvocable<void(Result<T>)>)>& ask) {
    auto answer = std::make_shared<std::optional<Result<T>>>();
    ask([answer](Result<T> r) { *answer = std::move(r); });
    world.run_until([&] { return answer->has_value(); }, std::chrono::minutes(1));
    if (!*answer) return fail(Code::kDeadlineExceeded, "no answer in a minute");
    return std::move(**answer);
  }

  SimRuntime world;
  Wire wire{world};

 private:
  struct Slot {
    Config config;
    std::unique_ptr<SimFileSystem> disk;
    std::unique_ptr<WireTransport> transport;
    std::unique_ptr<WireQueries> queries;
    std::unique_ptr<SimServer> server;
    std::string error;
  };
  std::string agreed_leader();

  std::map<std::string, Slot> members_;
};

}  // namespace truss::server::testing
