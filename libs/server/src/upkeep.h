#pragma once

#include <deque>
#include <functional>
#include <string>

#include "corruption_monitor.h"
#include "publisher.h"
#include "purger.h"
#include "truss/common/executor.h"
#include "truss/server/server.h"
#include "version_monitor.h"

namespace truss::server {

class Node;

/// What a member does by itself, from time to time: publishes its name and client URLs, agrees on
/// the cluster version, revokes expired leases, fails requests that took too long, compacts,
/// purges. Everything that changes state goes through the log like any client's request.
///
/// Lives on: upkeep executor; start() and leads() may be called from any thread.
class Upkeep {
 public:
  Upkeep(Node& node, Executor& executor);

  void start();
  /// This member leads: time to look after the cluster version.
  void leads();
  /// A snapshot of the leader was taken over.
  void snapshot_installed();
  /// Thread: upkeep.
  void on_leader_lost(std::function<void()> lost) { leader_lost_ = std::move(lost); }

 private:
  /// Runs `job` every `period`, first after one period.
  void every(Duration period, std::function<void()> job);
  void published();
  void check_version();
  /// Skips most of the first election time-out once two peers are there.
  void advance_election(int tries);
  void watch_leader();
  void expire_requests();
  void expire_leases();
  void checkpoint_leases();
  void start_auto_compaction();
  void compact_by_age(std::size_t samples);
  void compact_by_count();
  void compact_to(std::int64_t revision);

  Node& node_;
  Executor& executor_;
  Publisher publisher_;
  VersionMonitor versions_;
  CorruptionMonitor corruption_;
  Purger purger_;
  bool published_ = false;
  int looks_without_leader_ = 0;
  std::function<void()> leader_lost_;
  std::deque<std::int64_t> revisions_;  // sampled, oldest first
  std::int64_t compacted_to_ = 0;
};

}  // namespace truss::server
