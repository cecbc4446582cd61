#include "upkeep.h"

#include <algorithm>

#include "data_dir.h"
#include "node.h"
#include "truss/common/coding.h"

namespace truss::server {
namespace {

constexpr Duration kSweep = std::chrono::milliseconds(500);
constexpr Duration kVersionCheck = std::chrono::seconds(4);
constexpr Duration kCompactByCount = std::chrono::minutes(5);
constexpr Duration kLongestInterval = std::chrono::hours(1);
constexpr Duration kAdvanceCheck = std::chrono::milliseconds(50);
constexpr int kAdvanceTries = 100;
constexpr int kLooksWithoutLeader = 3;

void ignore(const Result<ApplyResponse>&) {}

}  // namespace

Upkeep::Upkeep(Node& node, Executor& executor)
    : node_(node),
      executor_(executor),
      publisher_(node, executor, [this] { published(); }),
      versions_(node, executor),
      corruption_(node, executor),
      purger_({*node.maintenance_executor_, node.env_.runtime.clock(), node.env_.files,
               node.env_.logger, DataDir(node.config_).wal, DataDir(node.config_).snap,
               node.config_.max_wal_files, node.config_.max_snap_files, node.config_.purge_pause}) {
}

void Upkeep::start() {
  executor_.post([this] {
    publisher_.publish();
    if (node_.config_.initial_election_tick_advance) advance_election(kAdvanceTries);
  });
  every(kSweep, [this] {
    expire_requests();
    expire_leases();
    checkpoint_leases();
  });
  every(node_.config_.election_timeout, [this] { watch_leader(); });
  every(kVersionCheck, [this] { check_version(); });
  every(node_.config_.purge_interval,
        [this] { purger_.purge(raft::Index(node_.older_root_.load())); });
  if (node_.config_.corrupt_check_time > Duration{}) {
    every(node_.config_.corrupt_check_time, [this] { corruption_.check(); });
  }
  start_auto_compaction();
}

void Upkeep::leads() {
  executor_.post([this] { check_version(); });
}

void Upkeep::snapshot_installed() {
  executor_.post([this] { publisher_.log_replaced(); });
}

void Upkeep::every(Duration period, std::function<void()> job) {
  executor_.post_at(node_.env_.runtime.clock().now() + period, [this, period, job] {
    if (node_.stopping_) return;
    job();
    every(period, job);
  });
}

// --- Name and version ------------------------------------------------------------------------

void Upkeep::published() {
  published_ = true;
  node_.mark_ready();
  check_version();
}

/// A member that is alone publishes first: etcd's log begins so.
void Upkeep::check_version() {
  if (published_ || node_.members()->size() > 1) versions_.check();
}

/// Not needed once there is a leader; and one that is alone has stood for election already.
/// Source: etcdserver.adjustTicks.
void Upkeep::advance_election(int tries) {
  const auto others = node_.other_members();
  const bool over = tries == 0 || node_.progress_.leader != 0;
  if (over || node_.stopping_ || node_.membership_.members()->size() == 1) return;
  const auto active = std::count_if(others.begin(), others.end(), [this](const Member& m) {
    return node_.env_.transport.active_since(m.id) != MonoTime{};
  });
  if (active > 1) return node_.raft_->advance_election();
  executor_.post_at(node_.env_.runtime.clock().now() + kAdvanceCheck,
                    [this, tries] { advance_election(tries - 1); });
}

// --- Time passing ----------------------------------------------------------------------------

/// Once a loss. Source: v3rpc.monitorLeader.
void Upkeep::watch_leader() {
  looks_without_leader_ = node_.progress_.leader == 0 ? looks_without_leader_ + 1 : 0;
  if (looks_without_leader_ == kLooksWithoutLeader && leader_lost_) leader_lost_();
}

void Upkeep::expire_requests() {
  const MonoTime limit = node_.env_.runtime.clock().now() - node_.config_.request_timeout();
  for (Waiters::Expired& expired : node_.waiters_.take_older_than(limit)) {
    node_.progress_.proposals_failed.fetch_add(1, std::memory_order_relaxed);
    expired.done(tl::unexpected(node_.timeout_error(expired.since)));
  }
}

void Upkeep::expire_leases() {
  for (const lease::LeaseId id : node_.lessor_->take_expired()) {
    node_.progress_.leases_expired.fetch_add(1, std::memory_order_relaxed);
    node_.lease_revoke(static_cast<std::int64_t>(id), ignore);
  }
}

void Upkeep::checkpoint_leases() {
  const auto due = node_.lessor_->due_checkpoints();
  if (due.empty()) return;
  std::string body;
  PbWriter out(body);
  for (const lease::Checkpoint& checkpoint : due) {
    std::string item;
    PbWriter inner(item);
    inner.field_varint(1, static_cast<std::uint64_t>(checkpoint.id));
    inner.field_varint(2, static_cast<std::uint64_t>(checkpoint.remaining_ttl));
    out.put_bytes(1, item);
  }
  node_.propose(Op::kLeaseCheckpoint, body, ignore);
}

// --- Automatic compaction --------------------------------------------------------------------

/// Periodic: samples the revision ten times an interval (the period, one hour at most) and compacts
/// to the one of a period ago. By count: every five minutes. Source: etcdserver/api/v3compactor.
void Upkeep::start_auto_compaction() {
  const Config& config = node_.config_;
  if (config.auto_compaction_retention <= 0) return;
  if (config.auto_compaction == AutoCompaction::kRevision) {
    every(kCompactByCount, [this] { compact_by_count(); });
  } else if (config.auto_compaction == AutoCompaction::kPeriodic) {
    const Duration period(config.auto_compaction_retention);
    const Duration sample = std::min(period, kLongestInterval) / 10;
    const auto samples = static_cast<std::size_t>(period / sample);
    every(sample, [this, samples] { compact_by_age(samples); });
  }
}

void Upkeep::compact_by_age(std::size_t samples) {
  revisions_.push_back(node_.store_->current_revision());
  if (revisions_.size() <= samples) return;
  compact_to(revisions_.front());
  // Sampled every tenth, compacted once an interval.
  revisions_.erase(revisions_.begin(), revisions_.begin() + 10);
}

void Upkeep::compact_by_count() {
  compact_to(node_.store_->current_revision() - node_.config_.auto_compaction_retention);
}

void Upkeep::compact_to(std::int64_t revision) {
  if (!node_.progress_.is_leader || revision <= 0 || revision == compacted_to_) return;
  compacted_to_ = revision;
  std::string body;
  PbWriter(body).put_varint(1, static_cast<std::uint64_t>(revision));
  node_.propose(Op::kCompaction, body, [this, revision](const Result<ApplyResponse>& done) {
    if (done) {
      node_.env_.logger.info("completed auto compaction", {{"revision", revision}});
    } else {
      node_.env_.logger.warn("failed auto compaction",
                             {{"revision", revision}, {"error", done.error().message}});
    }
  });
}

}  // namespace truss::server
