#include "upkeep.h"

#include "node.h"
#include "truss/common/coding.h"

namespace truss::server {
namespace {

constexpr Duration kSweep = std::chrono::milliseconds(500);
constexpr Duration kVersionCheck = std::chrono::seconds(4);
constexpr Duration kCompactByCount = std::chrono::minutes(5);
constexpr Duration kLongestInterval = std::chrono::hours(1);

void ignore(const Result<ApplyResponse>&) {}

std::string encode_attributes(const Config& config, raft::NodeId self) {
  std::string attributes;
  PbWriter inner(attributes);
  inner.field_bytes(1, config.name);
  for (const std::string& url : config.advertise_client_urls) inner.put_bytes(2, url);
  std::string out;
  PbWriter outer(out);
  outer.field_varint(1, self.value());
  outer.put_bytes(2, attributes);
  return out;
}

}  // namespace

SharedBytes encode_legacy_put(std::uint64_t id, std::string_view path, std::string_view value) {
  std::string out;
  PbWriter pb(out);
  pb.put_varint(1, id);
  pb.put_bytes(2, "PUT");
  pb.put_bytes(3, path);
  pb.put_bytes(4, value);
  pb.put_varint(5, 0);
  pb.put_bytes(6, {});
  pb.put_varint(7, 0);
  for (std::uint32_t field = 9; field <= 16; ++field) pb.put_varint(field, 0);
  return SharedBytes::copy(out);
}

void Upkeep::start() {
  executor_.post([this] { publish(); });
  every(kSweep, [this] {
    expire_requests();
    expire_leases();
    checkpoint_leases();
  });
  every(kVersionCheck, [this] { check_version(); });
  every(node_.config_.purge_interval, [this] { purge(); });
  start_auto_compaction();
}

void Upkeep::leads() {
  executor_.post([this] { check_version(); });
}

void Upkeep::every(Duration period, std::function<void()> job) {
  executor_.post_at(node_.env_.runtime.clock().now() + period, [this, period, job] {
    if (node_.stopping_) return;
    job();
    every(period, job);
  });
}

// --- Name and version ------------------------------------------------------------------------

void Upkeep::publish() {
  if (node_.stopping_) return;
  const Config& config = node_.config_;
  auto done = [this](Result<ApplyResponse> response) {
    executor_.post(
        [this, response = std::move(response)]() mutable { published(std::move(response)); });
  };
  const std::uint64_t id = node_.ids_->next();
  if (node_.level_ >= CompatLevel::k36) {
    const std::string body = encode_attributes(config, node_.self_);
    return node_.submit(id, encode_internal_request(Op::kMemberAttributesSet, body, id),
                        std::move(done));
  }
  node_.submit(id,
               encode_legacy_put(id, "/0/members/" + id_text(node_.self_) + "/attributes",
                                 attributes_json(config.name, config.advertise_client_urls)),
               std::move(done));
}

void Upkeep::published(Result<ApplyResponse> response) {
  if (node_.stopping_) return;
  if (!response) {
    node_.env_.logger.warn("failed to publish local member to cluster through raft",
                           {{"error", response.error().message}});
    executor_.post_at(node_.env_.runtime.clock().now() + kSweep, [this] { publish(); });
    return;
  }
  published_ = true;
  node_.env_.logger.info(
      "published local member to cluster through raft",
      {{"local-member-id", id_text(node_.self_)},
       {"cluster-id", id_text(node_.cluster_)},
       {"local-member-attributes",
        attributes_json(node_.config_.name, node_.config_.advertise_client_urls)}});
  node_.mark_ready();
  check_version();
}

/// The leader raises the cluster version to the lowest release among the members. Alone, that is
/// its own.
void Upkeep::check_version() {
  const bool due = published_ && node_.progress_.is_leader && !proposing_version_;
  if (!due || node_.members()->size() != 1) return;
  const auto present = parse_version(node_.membership_.version());
  const Version own = version_of(node_.level_).minor_only();
  if (present && *present >= own) return;
  propose_version(own.text());
}

void Upkeep::propose_version(const std::string& version) {
  proposing_version_ = true;
  auto done = [this](const Result<ApplyResponse>&) {
    executor_.post([this] { proposing_version_ = false; });
  };
  const std::uint64_t id = node_.ids_->next();
  if (node_.level_ >= CompatLevel::k36) {
    std::string body;
    PbWriter(body).put_bytes(1, version);
    return node_.submit(id, encode_internal_request(Op::kClusterVersionSet, body, id),
                        std::move(done));
  }
  node_.submit(id, encode_legacy_put(id, "/0/version", version), std::move(done));
}

// --- Time passing ----------------------------------------------------------------------------

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

void Upkeep::purge() {
  node_.wal_->purge(node_.config_.max_wal_files, node_.config_.max_snap_files,
                    raft::Index(node_.older_root_.load()));
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
