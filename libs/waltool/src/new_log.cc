#include <algorithm>

#include "truss/bolt/bolt.h"
#include "truss/schema/membership.h"
#include "truss/snap/snap_file.h"
#include "truss/snap/snapshotter.h"
#include "truss/snap/v2_store.h"
#include "truss/tool/unlocked_files.h"
#include "truss/wal/wal.h"
#include "truss/waltool/entries.h"
#include "truss/waltool/repair.h"

namespace truss::waltool {

using raft::Index;

Result<LogLock> LogLock::take(FileSystem& fs, const DataDir& dir) {
  LogLock out;
  TRUSS_ASSIGN(const auto names, segments_of(fs, dir.wal));
  for (const auto& name : names) {
    const std::string path = join_path(dir.wal, name.file_name());
    TRUSS_ASSIGN(auto file, fs.open(path, {.write = true}));
    TRUSS_TRY(file->try_lock(LockKind::kOfd, true));
    out.files_.push_back(std::move(file));
  }
  return out;
}

struct NewLog::Impl {
  FileSystem& fs;
  tool::Names& names;
  const DataDir dir;
  const std::string path;
  const raft::SnapshotMark base;
  std::unique_ptr<wal::Wal> wal;
};

NewLog::NewLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
NewLog::NewLog(NewLog&&) noexcept = default;
NewLog::~NewLog() = default;

namespace {

wal::Options with_segments(std::uint64_t bytes) {
  wal::Options out;
  out.segment_bytes = bytes;
  return out;
}

}  // namespace

Result<NewLog> NewLog::create(FileSystem& fs, tool::Names& names, Process& process,
                              const DataDir& dir, const wal::Identity& identity,
                              raft::SnapshotMark base, const raft::ConfState* conf_state,
                              std::uint64_t segment_bytes) {
  const std::string path = path_of(dir);
  TRUSS_TRY(remove_all(fs, path));  // of a run that was broken off
  TRUSS_ASSIGN(auto wal, wal::Wal::create(fs, process, path, wal::encode_identity(identity),
                                          with_segments(segment_bytes)));
  if (base.index > Index(0)) wal->save_snapshot(base, conf_state);
  return NewLog(std::unique_ptr<Impl>(new Impl{fs, names, dir, path, base, std::move(wal)}));
}

Result<> NewLog::copy(const Evidence& evidence, Index last, bool drop_conf_changes) {
  constexpr std::uint64_t kBatchBytes = 1 << 20;
  std::vector<wal::SegmentName> names;
  for (const SegmentFacts& segment : evidence.segments) names.push_back(segment.name);
  Index next = impl_->base.index + 1;
  std::vector<raft::Entry> batch;
  std::uint64_t bytes = 0;
  const auto take = [&](const LogEntry& entry) {
    const auto* run = evidence.entries.find(entry.index);
    if (entry.index < next || !run || run->kind != EntryKind::kGood || run->term != entry.term)
      return true;
    if (entry.index != next || entry.index > last) return false;
    raft::Entry& copy = batch.emplace_back();
    copy.term = entry.term;
    copy.index = entry.index;
    if (!drop_conf_changes || entry.type == raft::EntryType::kNormal) {
      copy.type = entry.type;
      copy.data = SharedBytes::copy(entry.data);
    }
    ++next;
    bytes += entry.data.size();
    if (bytes >= kBatchBytes) {
      impl_->wal->save({}, batch);
      batch.clear();
      bytes = 0;
    }
    return true;
  };
  TRUSS_TRY(each_entry_of(impl_->fs, impl_->dir, names, take));
  if (!batch.empty()) impl_->wal->save({}, batch);
  if (next == last + 1 || last <= impl_->base.index) return {};
  return fail(Code::kCorruption, "the log changed while it was read: entry " +
                                     std::to_string(next.value()) + " is no longer there");
}

Result<> NewLog::finish(const raft::HardState& state) {
  impl_->wal->append(state, {});
  impl_->wal->sync();
  impl_->wal->close();
  impl_->wal.reset();
  return {};
}

std::string NewLog::path_of(const DataDir& dir) { return dir.wal + ".new"; }

std::string free_name(FileSystem& fs, const std::string& path) {
  for (int n = 1;; ++n) {
    std::string out = path + "." + std::to_string(n);
    if (!exists(fs, out)) return out;
  }
}

Result<> NewLog::put_in_place(const std::string& kept) {
  FileSystem& fs = impl_->fs;
  const std::string& wal = impl_->dir.wal;
  TRUSS_TRY(impl_->names.keep_owner(wal, impl_->path));
  TRUSS_TRY(impl_->names.exchange(impl_->path, wal));
  TRUSS_TRY(fs.sync_dir(parent_path(wal)));
  TRUSS_TRY(fs.rename(impl_->path, kept));
  return fs.sync_dir(parent_path(wal));
}

Result<snap::V2Membership> membership_from_db(FileSystem& fs, const DataDir& dir) {
  tool::UnlockedFiles files(fs);
  TRUSS_ASSIGN(const auto db, bolt::DB::open(files, dir.db, {.read_only = true}));
  TRUSS_ASSIGN(auto tx, db->begin_read());
  TRUSS_ASSIGN(const auto membership, schema::read_membership(tx));
  if (membership.members.empty())
    return fail(Code::kFailedPrecondition, dir.db + ": lists no members to make a snapshot of");
  snap::V2Membership out;
  for (const schema::Member& member : membership.members) {
    out.members.push_back({raft::NodeId(member.id), member.peer_urls, member.is_learner,
                           member.name, member.client_urls});
  }
  std::ranges::sort(out.members, {}, &snap::V2Member::id);
  for (const std::uint64_t id : membership.removed) out.removed.emplace_back(id);
  std::ranges::sort(out.removed);
  out.version = membership.cluster_version;
  return out;
}

Result<raft::ConfState> save_snapshot(FileSystem& fs, tool::Names& names, const DataDir& dir,
                                      raft::SnapshotMark mark,
                                      const snap::V2Membership& membership) {
  raft::Snapshot snapshot;
  auto& conf = snapshot.metadata.conf_state;
  for (const snap::V2Member& member : membership.members)
    (member.is_learner ? conf.learners : conf.voters).push_back(member.id);
  snapshot.metadata.index = mark.index;
  snapshot.metadata.term = mark.term;
  snapshot.data = SharedBytes::copy(snap::write_v2_store(membership));
  NullLogger log;
  TRUSS_TRY(snap::Snapshotter(fs, log, dir.snap).save(snapshot));
  TRUSS_TRY(names.keep_owner(dir.db, join_path(dir.snap, snap::snap_file_name(mark))));
  return conf;
}

}  // namespace truss::waltool
