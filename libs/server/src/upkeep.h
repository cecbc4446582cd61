#pragma once

#include <deque>
#include <functional>
#include <string>

#include "truss/common/executor.h"
#include "truss/server/server.h"

namespace truss::server {

class Node;

/// What a member does by itself, from time to time: publishes its name and client URLs, agrees on
/// the cluster version, revokes expired leases, fails requests that took too long, compacts,
/// purges. Everything that changes state goes through the log like any client's request.
///
/// Lives on: upkeep executor; start() and leads() may be called from any thread.
class Upkeep {
 public:
  Upkeep(Node& node, Executor& executor) : node_(node), executor_(executor) {}

  void start();
  /// This member leads: time to look after the cluster version.
  void leads();

 private:
  /// Runs `job` every `period`, first after one period.
  void every(Duration period, std::function<void()> job);
  void publish();
  void published(Result<ApplyResponse> response);
  void check_version();
  void propose_version(const std::string& version);
  void expire_requests();
  void expire_leases();
  void checkpoint_leases();
  void purge();
  void start_auto_compaction();
  void compact_by_age(std::size_t samples);
  void compact_by_count();
  void compact_to(std::int64_t revision);

  Node& node_;
  Executor& executor_;
  bool published_ = false;
  bool proposing_version_ = false;
  std::deque<std::int64_t> revisions_;  // sampled, oldest first
  std::int64_t compacted_to_ = 0;
};

/// The bare v2 Request that 3.4 and 3.5 log: PUT `path` = `value`. Every field is written, even
/// zeros, but prevExist and refresh. Source: etcdserverpb.Request.
SharedBytes encode_legacy_put(std::uint64_t id, std::string_view path, std::string_view value);

}  // namespace truss::server
