#include "node.h"

#include <thread>

#include "truss/schema/buckets.h"
#include "truss/schema/records.h"
#include "truss/server/errors.h"

namespace truss::server {
namespace {

/// 3.4 can't read a log record of 10 MiB; the rest is room for the entry around the request.
constexpr std::uint32_t k34MaxRequestBytes = (10U << 20) - 1024;
/// Of a leader that can't commit: more is refused.
constexpr std::uint64_t kMaxUncommittedBytes = std::uint64_t{512} << 20;
/// Entries; what 3.6 and later do.
constexpr std::uint64_t kMemorySnapshotEvery = 100;
constexpr Duration kLeaveAfter = std::chrono::seconds(1);
constexpr std::uint64_t kInitialMapBytes = std::uint64_t{10} << 30;

mvcc::BackendOptions backend_options(const Config& config, const DataDir& dir, CompatLevel level) {
  mvcc::BackendOptions options;
  options.path = dir.db;
  if (config.backend_batch_interval > Duration{}) {
    options.batch_interval = config.backend_batch_interval;
  }
  if (config.backend_batch_limit > 0) options.batch_limit = config.backend_batch_limit;
  options.bolt.freelist_type =
      config.backend_freelist_map ? bolt::FreelistType::kHashMap : bolt::FreelistType::kArray;
  options.bolt.map_populate = config.backend_map_populate;
  options.bolt.walk_threads = std::max(1U, std::thread::hardware_concurrency());
  options.bolt.initial_mmap_size = config.backend_initial_mmap_bytes;
  if (options.bolt.initial_mmap_size == 0) {
    const auto quota =
        static_cast<std::uint64_t>(std::max<std::int64_t>(config.quota_backend_bytes, 0));
    options.bolt.initial_mmap_size = std::max(kInitialMapBytes, quota + quota / 10);
  }
  options.bolt.no_sync = config.unsafe_no_fsync;
  options.write_term = level >= CompatLevel::k35;
  options.forget_consistent_index = config.sabotage.forget_consistent_index;
  return options;
}

mvcc::StoreOptions store_options(const Config& config, CompatLevel level) {
  mvcc::StoreOptions options;
  options.compaction_batch_limit = config.compaction_batch_limit;
  options.compaction_pause = config.compaction_sleep_interval;
  options.keep_tombstone_at_compact = level >= CompatLevel::k35;
  options.hash_at_compact = level >= CompatLevel::k35;
  return options;
}

lease::LessorOptions lessor_options(const Config& config, CompatLevel level) {
  lease::LessorOptions options;
  const Duration least = config.election_timeout * 3 / 2;
  const Duration second = std::chrono::seconds(1);
  options.min_ttl = (least + second - Duration(1)) / second;
  options.checkpoints = config.lease_checkpoint;
  options.persist_checkpoints = config.lease_checkpoint_persist || level >= CompatLevel::k36;
  return options;
}

/// etcd stores revision 1 of its auth store in every new db, authentication on or off.
Result<> ensure_auth_revision(mvcc::Backend& backend) {
  TRUSS_ASSIGN(const auto stored, backend.get(schema::BucketId::kAuth, schema::kAuthRevisionKey));
  if (stored) return {};
  backend.put(schema::BucketId::kAuth, schema::kAuthRevisionKey, schema::encode_u64(1));
  return {};
}

std::uint64_t snapshot_count(const Config& config, CompatLevel level) {
  if (config.snapshot_count > 0) return config.snapshot_count;
  return level >= CompatLevel::k36 ? 10'000 : 100'000;
}

}  // namespace

Result<std::unique_ptr<Server>> Server::start(Config config, Environment environment) {
  auto node = std::make_unique<Node>(std::move(config), environment);
  TRUSS_TRY(node->open());
  return node;
}

Node::Node(Config config, Environment environment)
    : config_(std::move(config)),
      env_(environment),
      membership_(config_.max_learners),
      raft_executor_(env_.runtime.make_relay("raft", Lent::kYes)),
      wal_executor_(env_.runtime.make_relay("wal", Lent::kNo)),
      wal_allocator_(env_.runtime.make_executor("wal-allocator")),
      apply_executor_(env_.runtime.make_relay("apply", Lent::kNo)),
      backend_executor_(env_.runtime.make_executor("backend")),
      watch_executor_(env_.runtime.make_executor("watch")),
      upkeep_executor_(env_.runtime.make_executor("upkeep")),
      maintenance_executor_(env_.runtime.make_executor("maintenance")),
      snapshot_executor_(env_.runtime.make_executor("snapshot")) {}

/// Without stop() before it this is a crash: threads end, nothing is committed or closed.
Node::~Node() {
  stopping_ = true;
  env_.queries.stop();
  for (Executor* executor :
       {snapshot_executor_.get(), upkeep_executor_.get(), raft_executor_.get(),
        apply_executor_.get(), wal_executor_.get(), maintenance_executor_.get(),
        watch_executor_.get(), backend_executor_.get(), wal_allocator_.get()}) {
    executor->stop();
  }
  if (raft_) raft_->shut();
  waiters_.stop();
}

Result<> Node::open() {
  ClusterInquiry inquiry(env_.queries, *upkeep_executor_, env_.runtime.clock(), env_.logger);
  TRUSS_ASSIGN(Opened opened, open_data_dir(config_, inquiry, env_.files, env_.process, env_.logger,
                                            *wal_allocator_));
  self_ = opened.self;
  cluster_ = opened.cluster;
  level_ = opened.level;
  if (level_ == CompatLevel::k34) {
    config_.max_request_bytes = std::min(config_.max_request_bytes, k34MaxRequestBytes);
  }
  ids_ = std::make_unique<RequestIds>(self_, env_.runtime.clock().wall());
  membership_.load(opened.membership);
  if (!opened.fetched.empty()) membership_.show(opened.fetched);
  desk_.reset(new LeaderDesk{*upkeep_executor_, env_.runtime.clock(), progress_, membership_,
                             config_.election_timeout, config_.request_timeout()});
  if (level_ < CompatLevel::k36) membership_.limit_learners(1);  // what the older releases allow
  TRUSS_TRY(open_store(opened));
  if (config_.initial_corrupt_check && !opened.fresh) TRUSS_TRY(check_first(opened, inquiry));
  TRUSS_TRY(make_loops(std::move(opened)));
  env_.transport.identify({self_, cluster_, level_});
  for (const Member& member : *members()) {
    if (member.id != self_) env_.transport.add_peer(member.id, member.peer_urls);
  }
  upkeep_ = std::make_unique<Upkeep>(*this, *upkeep_executor_);  // before anybody can lead
  env_.transport.start(*raft_);
  raft_->start();
  upkeep_->start();
  env_.logger.info("started the server", {{"local-member-id", id_text(self_)},
                                          {"cluster-id", id_text(cluster_)},
                                          {"local-server-version", server_version(level_)},
                                          {"revision", store_->current_revision()}});
  return {};
}

Result<> Node::open_store(const Opened& opened) {
  Clock& clock = env_.runtime.clock();
  TRUSS_ASSIGN(backend_,
               mvcc::Backend::open(env_.files, *backend_executor_, clock, env_.process, env_.logger,
                                   backend_options(config_, opened.dir, level_)));
  TRUSS_TRY(ensure_auth_revision(*backend_));
  lessor_ = std::make_unique<lease::Lessor>(*backend_, clock, lessor_options(config_, level_));
  TRUSS_TRY(lessor_->restore());
  TRUSS_ASSIGN(store_, mvcc::Store::open(*backend_, *watch_executor_, clock, env_.logger,
                                         store_options(config_, level_)));
  store_->set_lease_links(lessor_.get());
  TRUSS_TRY(alarms_.load(*backend_));
  TRUSS_TRY(membership_.recover(*backend_));
  quota_ = std::make_unique<Quota>(*backend_, config_.quota_backend_bytes);
  return {};
}

Result<> Node::make_loops(Opened opened) {
  raft::SnapshotMark snapshot;
  if (opened.snapshot) {
    snapshot = {opened.snapshot->metadata.index, opened.snapshot->metadata.term};
  }
  auto log = make_log(opened);
  make_wal_thread(opened);
  make_apply_loop(snapshot);
  TRUSS_TRY(make_raft(std::move(log), snapshot.index));
  newer_root_ = backend_->committed_consistent_index();
  backend_->set_wal_gate(wal_.get());
  backend_->set_commit_listener([this](std::uint64_t consistent_index) {
    older_root_ = newer_root_;
    newer_root_ = consistent_index;
  });
  return {};
}

std::unique_ptr<raft::MemoryStorage> Node::make_log(Opened& opened) {
  auto log = std::make_unique<raft::MemoryStorage>();
  if (opened.snapshot) (void)log->apply_snapshot(*opened.snapshot);
  log->append(opened.entries);
  log->set_hard_state(opened.hard_state);
  return log;
}

Result<> Node::make_raft(std::unique_ptr<raft::MemoryStorage> log, raft::Index applied) {
  raft::Config config;
  config.id = self_;
  config.election_tick = config_.election_ticks();
  config.heartbeat_tick = 1;
  config.applied = applied;
  config.async_storage_writes = true;
  config.max_size_per_message = 1 << 20;
  config.max_committed_size_per_ready = 4 << 20;
  config.max_uncommitted_size = kMaxUncommittedBytes;
  config.max_inflight_messages = 512;
  config.check_quorum = true;
  config.brisk_elections = true;
  config.pre_vote = config_.pre_vote.value_or(level_ >= CompatLevel::k35);
  RaftLoop::Parts parts{
      *raft_executor_,
      env_.runtime.clock(),
      env_.logger,
      env_.random,
      env_.transport,
      progress_,
      waiters_,
      std::move(log),
      config,
      config_.heartbeat_interval,
      config_.election_timeout,
      config_.request_timeout(),
      ids_->next(),
      members()->size() == 1,
      {config_.snapshot_catch_up_entries, kMemorySnapshotEvery, level_ < CompatLevel::k36}};
  RaftLoop::Hooks hooks;
  hooks.append = [this](WalThread::Job job) { wal_->append(std::move(job)); };
  hooks.note_state = [this](const raft::HardState& state) { wal_->note(state); };
  hooks.apply = [this](ApplyJob job) { apply_->submit(std::move(job)); };
  hooks.leadership = [this](bool is_leader, bool) {
    if (!is_leader) lessor_->demote();
  };
  hooks.removed = [this] { leave("a peer said so", Duration{}); };
  hooks.send_snapshot = [this](raft::Message m) { return apply_->send_snapshot(std::move(m)); };
  hooks.snapshot_came = [this](raft::Message m) { look_over(std::move(m)); };
  TRUSS_ASSIGN(raft_, RaftLoop::create(std::move(parts), std::move(hooks)));
  return {};
}

void Node::make_wal_thread(Opened& opened) {
  WalThread::Parts parts{*wal_executor_,
                         env_.runtime.clock(),
                         env_.files,
                         env_.process,
                         env_.logger,
                         progress_,
                         std::move(opened.wal),
                         opened.hard_state,
                         opened.dir.snap,
                         level_ >= CompatLevel::k35,
                         config_.sabotage.answer_before_sync};
  wal_ = std::make_unique<WalThread>(std::move(parts), [this](std::vector<WalThread::Job> jobs) {
    raft_->appended(std::move(jobs));
  });
}

void Node::make_apply_loop(raft::SnapshotMark snapshot) {
  ApplyLoop::Parts parts{*apply_executor_, env_.runtime.clock(),
                         env_.logger,      env_.process,
                         progress_,        waiters_,
                         *backend_,        *store_,
                         *lessor_,         membership_,
                         alarms_,          *quota_,
                         level_,           self_,
                         snapshot,         snapshot_count(config_, level_)};
  ApplyLoop::Hooks hooks;
  hooks.conf_changed = [this](raft::ConfChange c) { raft_->apply_conf_change(std::move(c)); };
  hooks.applied = [this](raft::Index index, std::vector<raft::Message> responses) {
    raft_->applied(index, std::move(responses));
  };
  add_snapshot_hooks(hooks);
  hooks.out_of_space = [this] { raise_no_space([] {}); };
  hooks.leads = [this] {
    lessor_->promote(config_.election_timeout);
    upkeep_->leads();
  };
  hooks.removed = [this] { leave("its removal was applied", kLeaveAfter); };
  hooks.peer_changed = [this](const Member& peer, raft::ConfChangeType change) {
    if (change == raft::ConfChangeType::kRemoveNode) {
      env_.transport.remove_peer(peer.id);
    } else if (change == raft::ConfChangeType::kUpdateNode) {
      env_.transport.update_peer(peer.id, peer.peer_urls);
    } else {
      env_.transport.add_peer(peer.id, peer.peer_urls);
    }
  };
  apply_ = std::make_unique<ApplyLoop>(std::move(parts), std::move(hooks));
}

/// Stops in the order of the flow: no new work, then each stage when the one before it is empty.
void Node::stop() {
  std::lock_guard lock(stop_mutex_);
  if (stopped_) return;
  stopped_ = true;
  if (raft_) hand_over();
  stopping_ = true;
  upkeep_executor_->stop();
  env_.transport.stop();
  env_.queries.stop();
  snapshot_executor_->stop();
  raft_executor_->stop();
  if (raft_) raft_->shut();
  apply_executor_->stop();
  wal_executor_->stop();
  if (wal_) wal_->finish();
  waiters_.stop();
  maintenance_executor_->stop();
  watch_executor_->stop();
  if (backend_) backend_->close();
  backend_executor_->stop();
  wal_allocator_->stop();
  if (wal_) wal_->close();
}

void Node::on_ready(absl::AnyInvocable<void()> ready) {
  {
    std::lock_guard lock(ready_mutex_);
    if (!ready_) return when_ready_.push_back(std::move(ready));
  }
  ready();
}

void Node::mark_ready() {
  std::vector<absl::AnyInvocable<void()>> waiting;
  {
    std::lock_guard lock(ready_mutex_);
    ready_ = true;
    waiting.swap(when_ready_);
  }
  for (auto& ready : waiting) ready();
}

/// Below 3.6 a db has no version of its own, but one that a member of 3.5 or later has written to
/// has a term in it, and counts as of 3.5. Source: storage/schema.DetectSchemaVersion.
std::string Node::storage_version() const {
  if (level_ < CompatLevel::k36) return {};
  const std::string agreed = membership_.version();
  const auto version = parse_version(agreed);
  if (version && *version >= Version{3, 6, 0}) return agreed;
  return progress_.applied > 0 ? cluster_version_of(CompatLevel::k35) : std::string();
}

Status Node::status() const {
  Status s;
  s.leader = raft::NodeId(progress_.leader.load());
  s.term = term();
  s.committed = progress_.committed_index();
  s.applied = progress_.applied_index();
  s.is_leader = progress_.is_leader;
  for (const Member& member : *members()) {
    if (member.id == self_) s.is_learner = member.is_learner;
  }
  s.version = server_version(level_);
  s.cluster_version = membership_.version();
  s.storage_version = storage_version();
  s.downgrade = membership_.downgrade();
  s.db_size_bytes = static_cast<std::int64_t>(backend_->size_bytes());
  s.db_in_use_bytes = static_cast<std::int64_t>(backend_->in_use_bytes());
  s.quota_bytes = quota_->limit_bytes();
  if (s.leader == raft::kNoNode) s.errors.push_back(errors::no_leader().message);
  if (progress_.disk_dead) s.errors.push_back(errors::disk_dead().message);
  for (const AlarmMember& alarm : alarms()) s.errors.push_back(alarm_text(alarm));
  return s;
}

namespace {

void count_backend(mvcc::Backend& backend, Counters& c) {
  const mvcc::BackendMetrics& m = backend.metrics();
  c.defragmenting = m.defragmenting;
  c.open_read_transactions = backend.stats().open_readers;
  const auto revision = backend.get(schema::BucketId::kAuth, schema::kAuthRevisionKey);
  if (revision && *revision) c.auth_revision = schema::decode_u64(**revision).value_or(0);
  c.backend_commit_durations = m.commits.sample();
  c.backend_rebalance_durations = m.commit_phases.rebalance.sample();
  c.backend_spill_durations = m.commit_phases.spill.sample();
  c.backend_write_durations = m.commit_phases.write.sample();
  c.backend_defragment_durations = m.defragmentations.sample();
  c.backend_snapshot_durations = m.snapshots.sample();
  c.backend_hash_durations = m.hashes.sample();
}

}  // namespace

Counters Node::counters() const {
  Counters c;
  c.proposals_committed = progress_.committed;
  c.proposals_applied = progress_.applied;
  c.proposals_pending = waiters_.size();
  c.proposals_failed = progress_.proposals_failed;
  c.leader_changes = progress_.leader_changes;
  c.read_indexes_failed = progress_.reads_failed;
  c.slow_applies = progress_.slow_applies;
  c.leases_expired = progress_.leases_expired;
  c.wal_syncs = progress_.wal_syncs;
  c.wal_bytes_written = progress_.wal_bytes;
  c.wal_sync_durations = progress_.wal_sync_durations.sample();
  c.slow_read_indexes = progress_.slow_reads;
  c.late_heartbeats = progress_.late_heartbeats;
  c.messages_lost = progress_.messages_lost;
  c.learners_promoted = progress_.promotions;
  c.applying_snapshot = progress_.applying_snapshot;
  c.snap_encoding_durations = progress_.snap_metrics.encodings.sample();
  c.snap_sync_durations = progress_.snap_metrics.syncs.sample();
  c.snap_save_durations = progress_.snap_metrics.saves.sample();
  count_backend(*backend_, c);
  return c;
}

}  // namespace truss::server
