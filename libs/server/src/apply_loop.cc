#include "apply_loop.h"

#include <cstdlib>
#include <utility>

#include "truss/raft/codec.h"
#include "truss/schema/buckets.h"
#include "truss/schema/membership.h"
#include "truss/schema/records.h"
#include "truss/server/errors.h"
#include "truss/snap/v2_store.h"

namespace truss::server {
namespace {

constexpr Duration kSlow = std::chrono::milliseconds(100);

schema::ConfState to_schema(const raft::ConfState& state) {
  schema::ConfState out;
  for (const raft::NodeId id : state.voters) out.voters.push_back(id.value());
  for (const raft::NodeId id : state.learners) out.learners.push_back(id.value());
  return out;
}

}  // namespace

ApplyLoop::ApplyLoop(Parts parts, Hooks hooks)
    : p_(parts),
      hooks_(std::move(hooks)),
      applied_(parts.snapshot.index),
      term_(parts.snapshot.term),
      snapshot_index_(parts.snapshot.index) {
  p_.progress.applied = applied_.value();
}

void ApplyLoop::submit(ApplyJob job) {
  {
    std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    if (std::exchange(scheduled_, true)) return;
  }
  schedule();
}

/// At once, before who committed it goes on: a client waits.
void ApplyLoop::schedule() {
  p_.executor.post([this] { turn(); });
}

/// One job: what it dispatched (answers) need not wait for the next one.
void ApplyLoop::turn() {
  if (paused_) return;
  if (!p_.backend.has_room()) {
    return p_.backend.when_room([this] { schedule(); });
  }
  serve_sends();
  if (paused_) return;
  ApplyJob job;
  {
    std::lock_guard lock(mutex_);
    if (jobs_.empty()) {
      scheduled_ = !sends_.empty();
      if (scheduled_) schedule();
      return;
    }
    job = std::move(jobs_.front());
    jobs_.pop_front();
  }
  job.snapshot.empty() ? apply_job(job) : begin_install(std::move(job.snapshot));
  if (!paused_) go_on();
}

void ApplyLoop::go_on() {
  {
    std::lock_guard lock(mutex_);
    scheduled_ = !jobs_.empty() || !sends_.empty();
    if (!scheduled_) return;
  }
  schedule();
}

void ApplyLoop::resume() {
  p_.executor.post([this] {
    paused_ = false;
    turn();
  });
}

void ApplyLoop::apply_job(ApplyJob& job) {
  const MonoTime start = p_.clock.now();
  for (const raft::Entry& entry : job.entries) apply_entry(entry);
  hooks_.applied(applied_, std::move(job.responses));
  check_snapshot();
  const Duration took = p_.clock.now() - start;
  if (took <= kSlow) return;
  p_.progress.slow_applies.fetch_add(1, std::memory_order_relaxed);
  p_.logger.warn("apply request took too long",
                 {{"took", std::chrono::duration<double>(took).count()},
                  {"entries", std::uint64_t{job.entries.size()}}});
}

void ApplyLoop::apply_entry(const raft::Entry& entry) {
  if (entry.index <= applied_) return;
  if (entry.index != applied_ + 1) diverged(entry, "an entry before it is missing");
  {
    const mvcc::Backend::Hold hold(p_.backend);
    const bool fresh = entry.index.value() > p_.backend.consistent_index();
    if (fresh) enter_fresh(entry);
    if (entry.type == raft::EntryType::kConfChange) {
      apply_conf_change(entry);
    } else if (entry.type == raft::EntryType::kNormal) {
      apply_normal(entry, fresh);
    } else {
      diverged(entry, "ConfChangeV2 entries are not used by any release of etcd");
    }
  }
  applied_ = entry.index;
  term_ = entry.term;
  p_.progress.applied.store(entry.index.value(), std::memory_order_release);
  p_.progress.proposals_applied.fetch_add(1, std::memory_order_relaxed);
}

void ApplyLoop::enter_fresh(const raft::Entry& entry) {
  p_.backend.set_consistent_index(entry.index.value(), entry.term.value());
  if (attached_) return;
  attached_ = true;
  if (const auto done = p_.membership.attach(p_.backend); !done) {
    diverged(entry, done.error().message);
  }
  store_versions();
}

/// What bucket `meta` holds beside the index: confState from 3.5 on, storageVersion from 3.6 on
/// once the cluster has agreed on such a version.
void ApplyLoop::store_versions() {
  if (p_.level >= CompatLevel::k35) {
    p_.backend.put(schema::BucketId::kMeta, schema::kConfStateKey,
                   schema::encode_conf_state(to_schema(p_.membership.conf_state())));
  }
  const auto version = parse_version(p_.membership.version());
  if (p_.level < CompatLevel::k36 || !version || *version < Version{3, 6, 0}) return;
  p_.backend.put(schema::BucketId::kMeta, schema::kStorageVersionKey, version->minor_only().text());
}

void ApplyLoop::apply_normal(const raft::Entry& entry, bool fresh) {
  if (entry.data.empty()) {
    if (p_.progress.is_leader && entry.term.value() == p_.progress.term) hooks_.leads();
    return;
  }
  const Result<LogRequest> request = decode_log_request(entry.data.view());
  if (!request) diverged(entry, request.error().message);
  if (const auto* legacy = std::get_if<LegacyRequest>(&request->op)) {
    apply_legacy(*legacy);
  } else if (const auto* version = std::get_if<ClusterVersionSet>(&request->op)) {
    set_version(version->version);
  } else if (const auto* member = std::get_if<MemberAttributesSet>(&request->op)) {
    p_.membership.set_attributes(member->member, {member->name, member->client_urls});
  } else if (!fresh) {
    return;
  } else if (const auto* downgrade = std::get_if<DowngradeInfoSet>(&request->op)) {
    set_downgrade(downgrade->info);
  } else if (const auto* other = std::get_if<Unsupported>(&request->op)) {
    diverged(entry, "it holds " + request_field_name(other->field) +
                        ", which this member does not support");
  } else if (const auto* compaction = std::get_if<CompactionRequest>(&request->op)) {
    return compact(request->id, *compaction);
  } else {
    p_.waiters.answer(request->id, execute(*request));
    return;
  }
  p_.waiters.answer(request->id, answer());
}

void ApplyLoop::apply_legacy(const LegacyRequest& request) {
  constexpr std::string_view kMembers = "/0/members/";
  constexpr std::string_view kAttributes = "/attributes";
  legacy_seen_ = true;
  if (request.method != "PUT") return;
  if (request.path == "/0/version") return set_version(request.value);
  std::string_view path = request.path;
  if (!path.starts_with(kMembers) || !path.ends_with(kAttributes)) return;
  path.remove_prefix(kMembers.size());
  path.remove_suffix(kAttributes.size());
  const auto id = schema::parse_member_key(path);
  const auto attributes = parse_attributes_json(request.value);
  if (id && attributes) p_.membership.set_attributes(raft::NodeId(*id), *attributes);
}

void ApplyLoop::set_version(const std::string& version) {
  const auto agreed = parse_version(version);
  if (agreed && agreed->minor_only() > version_of(p_.level).minor_only()) {
    p_.process.fatal(
        "invalid downgrade; server version is lower than determined cluster version (" +
        std::string(server_version(p_.level)) + ", " + version +
        "): start this member with a higher --compat");
  }
  const auto before = parse_version(p_.membership.version());
  if (p_.membership.version() != version) {
    p_.logger.info("set cluster version", {{"cluster-version", version}});
  }
  p_.membership.set_version(version);
  if (!attached_) return;
  store_versions();
  if (agreed && before && *agreed < *before) note_lower_version(*before, *agreed);
}

/// From now on an older release may open this directory: nothing of the newer one may be in its
/// way, in the db or in the log after the newest snapshot. Source: etcdserver ForceSnapshot and
/// storage/schema/migration.go.
void ApplyLoop::note_lower_version(const Version& before, const Version& now) {
  p_.logger.info("Cluster version downgrade detected, forcing snapshot",
                 {{"prev-cluster-version", before.text()}, {"new-cluster-version", now.text()}});
  if (now < Version{3, 6, 0}) {
    p_.backend.remove(schema::BucketId::kMeta, schema::kStorageVersionKey);
  }
  lowered_ = true;
}

void ApplyLoop::set_downgrade(const schema::Downgrade& info) {
  p_.membership.set_downgrade(info);
  if (info.enabled) {
    p_.logger.info(
        "the cluster is to be downgraded",
        {{"target-version", info.target_version}, {"server-version", server_version(p_.level)}});
  }
}

void ApplyLoop::apply_conf_change(const raft::Entry& entry) {
  Result<raft::ConfChange> change = raft::decode_conf_change(entry.data.view());
  if (!change) diverged(entry, change.error().message);
  MemberContext context;
  if (change->type != raft::ConfChangeType::kRemoveNode) {
    auto parsed = parse_member_json(change->context.view());
    if (!parsed) diverged(entry, parsed.error().message);
    context = *std::move(parsed);
    if (context.member.id != change->node_id) diverged(entry, "its node and context ids differ");
    context.member.is_learner = change->type == raft::ConfChangeType::kAddLearnerNode;
  }
  const std::uint64_t id = change->id;
  if (const auto allowed = p_.membership.check(*change, context); !allowed) {
    change->node_id = raft::kNoNode;
    hooks_.conf_changed(*std::move(change));
    p_.waiters.answer(id, tl::unexpected(allowed.error()));
    return;
  }
  p_.membership.apply(*change, context);
  if (attached_) store_versions();
  context.member.id = change->node_id;
  note_peer(*change, context);
  hooks_.conf_changed(*std::move(change));
  ApplyResponse response{p_.store.current_revision(),
                         MembersResult{*p_.membership.members(), context.member}};
  p_.waiters.answer(id, std::move(response));
}

void ApplyLoop::note_peer(const raft::ConfChange& change, const MemberContext& context) {
  if (change.node_id != p_.self) {
    if (!context.is_promote) hooks_.peer_changed(context.member, change.type);
  } else if (change.type == raft::ConfChangeType::kRemoveNode) {
    hooks_.removed();
  }
}

/// Beside etcd's rule: 3.7 can't read v2 requests, so at the first chance after a directory was
/// raised to 3.6 or later they are put behind a snapshot.
void ApplyLoop::check_snapshot() {
  const bool raised = legacy_seen_ && attached_ && p_.level >= CompatLevel::k36;
  if (applied_ - snapshot_index_ <= p_.snapshot_count && !raised && !lowered_) return;
  snapshot_index_ = applied_;
  legacy_seen_ = lowered_ = false;
  // A db that is behind its own snapshot is refused by every release.
  p_.membership.touch();
  hooks_.snapshot_due(present_snapshot());
}

void ApplyLoop::check_damage(const Error& error) const {
  if (error.code == Code::kCorruption) p_.process.fatal("db is damaged: " + error.message);
}

void ApplyLoop::diverged(const raft::Entry& entry, const std::string& why) const {
  const std::string what = "can't apply log entry " + std::to_string(entry.index.value()) +
                           " of term " + std::to_string(entry.term.value()) + ": " + why;
  p_.process.fatal(what);
  std::abort();  // fatal() never returns, but a virtual call does not tell the compiler
}

}  // namespace truss::server
