#include "data_dir.h"

#include <algorithm>

#include "level.h"
#include "log_request.h"
#include "received_snapshot.h"
#include "truss/bolt/bolt.h"
#include "truss/snap/snap_file.h"
#include "truss/snap/snapshotter.h"
#include "truss/snap/v2_store.h"
#include "truss/wal/maintenance.h"
#include "truss/wal/segment.h"

namespace truss::server {
namespace {

constexpr std::uint64_t kMaxSnapBytes = std::uint64_t{512} << 20;

Unexpected refuse(const std::string& path, const std::string& why) {
  return fail(Code::kFailedPrecondition, path + ": " + why);
}

Result<> check_auth(const DataDir& dir, const DbFacts& db) {
  if (!db.auth_enabled) return {};
  return refuse(dir.db,
                "authentication is switched on, which this member can't enforce yet; serve it "
                "with etcd, or run `etcdctl auth disable` there first");
}

/// The database that came with `snapshot` takes the place of the present one at this start.
Result<> take_received(const std::string& path, const raft::Snapshot& snapshot, FileSystem& files,
                       Verdict& verdict) {
  TRUSS_ASSIGN(verdict.db, read_db_facts(files, path));
  if (verdict.db.meta.consistent_index < snapshot.metadata.index.value()) {
    return refuse(path, "its consistent index " + std::to_string(verdict.db.meta.consistent_index) +
                            " is older than its snapshot " +
                            std::to_string(snapshot.metadata.index.value()) +
                            "; remove this data directory and let the member join anew");
  }
  verdict.received_db = path;
  verdict.db_exists = true;
  return {};
}

/// Newest snapshot that the log vouches for, the db (or one received with it) covers and that can
/// be read.
Result<> choose_snapshot(const DataDir& dir, FileSystem& files, Logger& logger, Verdict& verdict) {
  TRUSS_ASSIGN(const auto valid, wal::valid_snapshots(files, dir.wal));
  if (!exists(files, dir.snap)) return {};
  snap::Snapshotter snapshotter(files, logger, dir.snap);
  TRUSS_ASSIGN(const auto marks, snapshotter.list());
  for (const raft::SnapshotMark& mark : marks) {
    const bool known = std::any_of(valid.begin(), valid.end(),
                                   [&](const auto& record) { return record.mark == mark; });
    if (!known) continue;
    const std::string received = received_db_path(dir.snap, mark.index);
    const bool covered = mark.index.value() <= verdict.db.meta.consistent_index;
    if (!covered && !exists(files, received)) {
      verdict.unreached = std::max(verdict.unreached, mark);
      continue;
    }
    const std::string path = join_path(dir.snap, snap::snap_file_name(mark));
    TRUSS_ASSIGN(const std::string bytes, read_file(files, path, kMaxSnapBytes));
    auto snapshot = snap::decode_snap_file(bytes);
    if (!snapshot) {
      if (!covered) verdict.unreached = std::max(verdict.unreached, mark);
      continue;
    }
    if (!covered) TRUSS_TRY(take_received(received, *snapshot, files, verdict));
    verdict.snapshot = *std::move(snapshot);
    return {};
  }
  return {};
}

/// A log that no longer begins at entry 1 needs a snapshot that the db covers.
Result<> check_reach(const DataDir& dir, FileSystem& files, const Verdict& verdict) {
  if (verdict.snapshot) return {};
  TRUSS_ASSIGN(const auto segments, wal::list_segments(files, dir.wal));
  if (segments.front().sequence == 0) return {};
  return refuse(dir.db, "its consistent index " + std::to_string(verdict.db.meta.consistent_index) +
                            " is older than every snapshot the log begins after (first segment " +
                            segments.front().file_name() +
                            "); put back the db that belongs to this directory, or restore from "
                            "a snapshot");
}

Result<> check_entry(const DataDir& dir, const raft::Entry& entry) {
  const auto where = [&] {
    return "log entry " + std::to_string(entry.index.value()) + " of term " +
           std::to_string(entry.term.value());
  };
  if (entry.type == raft::EntryType::kConfChangeV2) {
    return refuse(dir.wal, where() + " is a joint membership change; no release writes those");
  }
  if (entry.type != raft::EntryType::kNormal || entry.data.empty()) return {};
  const auto request = decode_log_request(entry.data.view());
  if (!request) return refuse(dir.wal, where() + ": " + request.error().message);
  std::string what;
  if (const auto* op = std::get_if<Unsupported>(&request->op)) {
    what = request_field_name(op->field);
  } else if (const auto* legacy = std::get_if<LegacyRequest>(&request->op);
             legacy != nullptr && legacy->path.starts_with("/1/")) {
    what = "a change of v2 keys";
  }
  if (what.empty()) return {};
  return refuse(dir.wal, where() + " holds " + what +
                             ", which is not in the db yet and this member does not support; "
                             "start etcd on the directory once, then stop it cleanly");
}

/// Entries that the db has applied and the log has lost would be numbered a second time, and
/// skipped.
Result<> check_end(const DataDir& dir, const wal::ReadResult& log, raft::SnapshotMark from,
                   const Verdict& verdict) {
  const raft::Index last = log.entries.empty() ? from.index : log.entries.back().index;
  if (verdict.db.meta.consistent_index <= last.value()) return {};
  return refuse(dir.wal, "the log ends at entry " + std::to_string(last.value()) + ", but " +
                             dir.db + " has applied entry " +
                             std::to_string(verdict.db.meta.consistent_index) +
                             "; put the missing log files back, or restore from a snapshot");
}

/// A snapshot of our own lies inside the log; one received does not, and without its database the
/// entries before it are nowhere.
Result<> check_unreached(const DataDir& dir, const wal::ReadResult& log, const Verdict& verdict) {
  const raft::SnapshotMark& mark = verdict.unreached;
  const auto covers = [&](const raft::Entry& entry) {
    return entry.index == mark.index && entry.term == mark.term;
  };
  if (mark.index == raft::Index{} || std::any_of(log.entries.begin(), log.entries.end(), covers)) {
    return {};
  }
  return refuse(dir.db, "its consistent index " + std::to_string(verdict.db.meta.consistent_index) +
                            " is older than the snapshot received at " +
                            std::to_string(mark.index.value()) + ", of which " +
                            snap::snap_file_name(mark) + " or " +
                            snap::snap_db_file_name(mark.index) +
                            " is missing or damaged; put them back, or remove this data directory "
                            "and let the member join anew");
}

/// Damage in the middle of the last segment looks like its end. Cutting there would drop entries
/// that were synced, and perhaps answered.
Result<> check_holes(const DataDir& dir, const Config& config, FileSystem& files,
                     CompatLevel level) {
  if (config.unsafe_no_fsync) return {};
  TRUSS_ASSIGN(const auto hole, wal::find_hole(files, dir.wal, read_limits(level)));
  if (!hole || !hole->synced) return {};
  return fail(Code::kCorruption, hole->message());
}

Result<> check_log(const DataDir& dir, const Config& config, FileSystem& files, Verdict& verdict) {
  raft::SnapshotMark from;
  if (verdict.snapshot) from = {verdict.snapshot->metadata.index, verdict.snapshot->metadata.term};
  TRUSS_ASSIGN(wal::ReadResult log,
               wal::read_log(files, dir.wal, from, read_limits(verdict.level)));
  if (log.metadata.empty()) {
    return refuse(dir.wal,
                  "the log has no metadata record, its first file is empty or cut; put the "
                  "files back, or restore from a snapshot");
  }
  TRUSS_ASSIGN(verdict.identity, wal::decode_identity(log.metadata));
  drop_overtaken(log.entries, verdict.snapshot);
  TRUSS_TRY(check_unreached(dir, log, verdict));
  TRUSS_TRY(check_end(dir, log, from, verdict));
  for (const raft::Entry& entry : log.entries) {
    if (entry.index.value() > verdict.db.meta.consistent_index) {
      TRUSS_TRY(check_entry(dir, entry));
    }
    // A start that broke off before the db was made left nothing but membership entries.
    if (!verdict.db_exists && entry.type == raft::EntryType::kNormal) {
      return refuse(dir.db, "the database is missing, but the log in " + dir.wal +
                                " has data; put the file back, or restore from a snapshot");
    }
  }
  return raise_level(config.compat, log.entries, dir.wal, verdict);
}

Result<> check_pieces(const DataDir& dir, FileSystem& files, Verdict& verdict) {
  if (!wal::has_wal(files, dir.wal)) {
    return refuse(dir.wal, "there is no log, but " + dir.db +
                               " exists; name the right --wal-dir, or restore from a snapshot");
  }
  verdict.db_exists = exists(files, dir.db);
  if (verdict.db_exists || !exists(files, dir.snap)) return {};
  TRUSS_ASSIGN(const auto names, files.list(dir.snap));
  const bool snapshots = std::any_of(names.begin(), names.end(),
                                     [](const auto& n) { return snap::parse_snap_file_name(n); });
  const bool received = std::any_of(names.begin(), names.end(),
                                    [](const auto& n) { return snap::parse_snap_db_file_name(n); });
  if (!snapshots || received) return {};
  return refuse(dir.db, "the database is missing, but " + dir.snap +
                            " has snapshots; put the file back, or restore from a snapshot");
}

}  // namespace

DataDir::DataDir(const Config& config)
    : data(config.data_dir),
      member(join_path(data, "member")),
      snap(join_path(member, "snap")),
      db(join_path(snap, "db")),
      wal(config.wal_dir.empty() ? join_path(member, "wal") : config.wal_dir) {}

Result<DbFacts> read_db_facts(FileSystem& files, const std::string& path) {
  bolt::Options options;
  options.read_only = true;
  auto db = bolt::DB::open(files, path, options);
  if (!db && db.error().code == Code::kUnavailable) {
    return fail(Code::kUnavailable,
                path + ": locked by another process; stop the member that uses this directory");
  }
  if (!db) return tl::unexpected(std::move(db).error());
  TRUSS_ASSIGN(bolt::Tx tx, (*db)->begin_read());
  DbFacts facts;
  TRUSS_ASSIGN(facts.meta, schema::read_meta(tx));
  TRUSS_ASSIGN(facts.membership, schema::read_membership(tx));
  TRUSS_ASSIGN(facts.auth_enabled, schema::read_auth_enabled(tx));
  return facts;
}

wal::ReadLimits read_limits(CompatLevel level) {
  return {level == CompatLevel::k34 ? wal::k34RecordLimitBytes : 0};
}

void drop_overtaken(std::vector<raft::Entry>& entries, const std::optional<raft::Snapshot>& from) {
  if (!from) return;
  const auto overtaken = [&](const raft::Entry& e) { return e.term < from->metadata.term; };
  entries.erase(std::find_if(entries.begin(), entries.end(), overtaken), entries.end());
}

Result<Verdict> examine(const DataDir& dir, const Config& config, FileSystem& files) {
  NullLogger quiet;
  Verdict verdict;
  TRUSS_TRY(check_pieces(dir, files, verdict));
  if (verdict.db_exists) {
    TRUSS_ASSIGN(verdict.db, read_db_facts(files, dir.db));
  }
  TRUSS_TRY(choose_snapshot(dir, files, quiet, verdict));
  TRUSS_TRY(check_auth(dir, verdict.db));
  TRUSS_TRY(check_reach(dir, files, verdict));
  std::string version;
  if (verdict.snapshot) {
    TRUSS_ASSIGN(const auto document, snap::parse_v2_store(verdict.snapshot->data.view()));
    version = document.version;
  }
  TRUSS_ASSIGN(verdict.level, decide_level(config.compat, verdict.db, version,
                                           verdict.db_exists ? dir.db : dir.wal));
  verdict.level_known = config.compat || verdict.db.meta.storage_version || !version.empty() ||
                        !verdict.db.membership.cluster_version.empty();
  TRUSS_TRY(check_holes(dir, config, files, verdict.level));
  TRUSS_TRY(check_log(dir, config, files, verdict));
  return verdict;
}

}  // namespace truss::server
