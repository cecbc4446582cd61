#include "bootstrap.h"

#include <algorithm>
#include <set>

#include "force_new_cluster.h"
#include "joining.h"
#include "truss/raft/codec.h"
#include "truss/snap/snapshotter.h"
#include "truss/wal/log_reader.h"
#include "truss/wal/maintenance.h"
#include "truss/wal/segment.h"

namespace truss::server {
namespace {

wal::Options wal_options(const Config& config, CompatLevel level, Executor& allocator) {
  wal::Options options;
  options.segment_bytes = config.wal_segment_bytes;
  options.limits = read_limits(level);
  options.sync = !config.unsafe_no_fsync;
  options.allocator = &allocator;
  return options;
}

bool is_directory(FileSystem& files, const std::string& path) {
  const auto info = files.stat(path);
  return info && info->directory;
}

/// Whether the log being made at `tmp` got as far as entries: a power failure during the first
/// start leaves less, and such a start simply begins anew. Damage counts as no.
Result<bool> has_entries(FileSystem& files, const std::string& tmp) {
  TRUSS_ASSIGN(const auto names, files.list(tmp));
  for (const std::string& name : names) {
    const std::string path = join_path(tmp, name);
    TRUSS_ASSIGN(const auto file, files.open(path, {}));
    wal::LogReader reader({{path, file.get()}});
    wal::Record record;
    for (auto more = reader.next(record); more && *more; more = reader.next(record)) {
      if (record.type == wal::RecordType::kEntry) return true;
    }
  }
  return false;
}

/// Nothing at all, or directories without log and db: a place for a new cluster.
/// Errors: kFailedPrecondition for what looks like half of a data directory.
Result<bool> is_vacant(const DataDir& dir, FileSystem& files) {
  for (const std::string& path : {dir.data, dir.member, dir.snap, dir.wal}) {
    if (exists(files, path) && !is_directory(files, path)) {
      return fail(Code::kFailedPrecondition,
                  path + ": is not a directory; move it away or name another --data-dir");
    }
  }
  if (wal::has_wal(files, dir.wal)) return false;
  const std::string tmp = dir.wal + ".tmp";
  if (is_directory(files, tmp)) {
    TRUSS_ASSIGN(const bool has_data, has_entries(files, tmp));
    if (has_data) {
      return fail(Code::kFailedPrecondition,
                  tmp + ": the directory was left half-created, but this log has entries; rename " +
                      "it to " + dir.wal + " if it belongs there, or remove it");
    }
  }
  return !exists(files, dir.db);
}

/// Makes `path` and what is missing above it; each new name is on disk when it returns.
Result<> make_durable_dirs(FileSystem& files, const std::string& path) {
  if (exists(files, path)) return {};
  const std::string parent = parent_path(path);
  if (parent != path) TRUSS_TRY(make_durable_dirs(files, parent));
  TRUSS_TRY(files.make_dir(path, 0700));
  return files.sync_dir(parent);
}

Result<const Member*> find_self(const Config& config, const std::vector<Member>& members) {
  for (const Member& member : members) {
    if (member.name == config.name) return &member;
  }
  return fail(Code::kInvalidArgument, "couldn't find local name \"" + config.name +
                                          "\" in the initial cluster configuration");
}

void write_founding_entries(const std::vector<Member>& members, Opened& opened) {
  opened.entries = founding_entries(members);
  opened.hard_state = {raft::Term{1}, raft::kNoNode, raft::Index{members.size()}};
  opened.wal->save(opened.hard_state, opened.entries);
}

/// The URLs in `list` that `others` lacks, comma-joined, each after `prefix`.
std::string missing(const std::vector<std::string>& list, const std::vector<std::string>& others,
                    const std::string& prefix) {
  std::string out;
  for (const std::string& url : list) {
    if (std::find(others.begin(), others.end(), url) != others.end()) continue;
    out += (out.empty() ? "" : ",") + prefix + url;
  }
  return out;
}

/// Source: config.ServerConfig.advertiseMatchesCluster.
Result<> check_advertised(const Config& config, const std::vector<std::string>& initial,
                          ClusterInquiry& inquiry) {
  const auto& advertised = config.advertise_peer_urls;
  if (inquiry.same_urls(advertised, initial)) return {};
  const std::string unadvertised = missing(initial, advertised, config.name + "=");
  if (!unadvertised.empty()) {
    return fail(Code::kInvalidArgument, "--initial-cluster has " + unadvertised +
                                            " but missing from --initial-advertise-peer-urls=" +
                                            missing(advertised, {}, ""));
  }
  return fail(Code::kInvalidArgument,
              "--initial-advertise-peer-urls has " + missing(advertised, initial, "") +
                  " but missing from --initial-cluster=" + text_of({{config.name, initial}}));
}

ClusterId cluster_id(const std::vector<Member>& founders) {
  std::vector<raft::NodeId> ids;
  for (const Member& member : founders) ids.push_back(member.id);
  return compute_cluster_id(std::move(ids));
}

/// Makes directory and log of a member whose ids and level are set in `opened`.
Result<> make_directory(const Config& config, FileSystem& files, Process& process,
                        Executor& allocator, Opened& opened) {
  opened.fresh = true;
  TRUSS_TRY(make_durable_dirs(files, opened.dir.snap));
  TRUSS_TRY(make_durable_dirs(files, parent_path(opened.dir.wal)));
  TRUSS_ASSIGN(opened.wal,
               wal::Wal::create(files, process, opened.dir.wal,
                                wal::encode_identity({opened.self, opened.cluster.value()}),
                                wal_options(config, opened.level, allocator)));
  return {};
}

Result<Opened> found(const DataDir& dir, const Config& config, ClusterInquiry& inquiry,
                     FileSystem& files, Process& process, Executor& allocator) {
  TRUSS_ASSIGN(const auto members, initial_members(config, inquiry));
  TRUSS_ASSIGN(const Member* self, find_self(config, members));
  TRUSS_TRY(check_not_bootstrapped(config, members, inquiry));
  Opened opened{.dir = dir, .level = config.compat.value_or(kDefaultLevel)};
  opened.self = self->id;
  opened.cluster = cluster_id(members);
  TRUSS_TRY(make_directory(config, files, process, allocator, opened));
  write_founding_entries(members, opened);
  return opened;
}

Result<Opened> join(const DataDir& dir, const Config& config, ClusterInquiry& inquiry,
                    FileSystem& files, Process& process, Executor& allocator) {
  TRUSS_ASSIGN(Joining joining, join_cluster(config, inquiry));
  Opened opened{.dir = dir, .level = joining.level};
  opened.self = joining.self;
  opened.cluster = joining.cluster;
  opened.fetched = std::move(joining.members);
  TRUSS_TRY(make_directory(config, files, process, allocator, opened));
  return opened;
}

/// A start that broke off between making the log and writing its first entries is done once more.
/// But an empty log may also be that of a member that joined and was told nothing yet.
Result<> found_again(const Config& config, ClusterInquiry& inquiry, Opened& opened) {
  const bool empty = opened.entries.empty() && opened.hard_state.empty() && !opened.snapshot;
  if (!empty || !config.new_cluster) return {};
  TRUSS_ASSIGN(const auto members, initial_members(config, inquiry));
  const bool ours = cluster_id(members) == opened.cluster &&
                    std::any_of(members.begin(), members.end(),
                                [&](const auto& m) { return m.id == opened.self; });
  if (ours) write_founding_entries(members, opened);
  return {};
}

/// Renames unreadable snapshots away and removes what a broken-off run left.
void tidy(const DataDir& dir, raft::Index from, FileSystem& files, Logger& logger) {
  snap::Snapshotter snapshotter(files, logger, dir.snap);
  (void)snapshotter.load_newest();
  auto done = snapshotter.remove_orphans();
  if (done) done = snapshotter.release_databases(from);
  if (!done) logger.warn("failed to remove orphans", {{"error", done.error().message}});
}

/// A commit index alone is never synced, and etcd may never write it: after a crash the db can have
/// applied more than the log says is committed. What was applied was committed. The log has it all:
/// examine() saw to that.
void raise_commit(std::uint64_t applied, raft::HardState& state, Logger& logger) {
  if (applied <= state.commit.value()) return;
  logger.info("the db has applied more than the log says is committed",
              {{"commit", state.commit.value()}, {"consistent-index", applied}});
  state.commit = raft::Index(applied);
}

/// What a crash kept the member from doing: the database that came with the snapshot becomes its
/// own.
Result<> put_in_place(const std::string& received, const DataDir& dir, FileSystem& files,
                      Logger& logger) {
  if (received.empty()) return {};
  logger.info("going over to the database received before the last end", {{"path", received}});
  TRUSS_TRY(files.rename(received, dir.db));
  return files.sync_dir(dir.snap);
}

Result<Opened> reopen(const DataDir& dir, const Config& config, ClusterInquiry& inquiry,
                      FileSystem& files, Process& process, Logger& logger, Executor& allocator) {
  TRUSS_ASSIGN(Verdict verdict, examine(dir, config, files));
  // Joined, but told nothing yet: the cluster's level still counts.
  if (!verdict.level_known && !config.new_cluster) {
    verdict.level = ask_level(config, inquiry).value_or(verdict.level);
  }
  Opened opened{.dir = dir, .level = verdict.level};
  opened.self = verdict.identity.node_id;
  opened.cluster = ClusterId(verdict.identity.cluster_id);
  raft::SnapshotMark from;
  if (verdict.snapshot) {
    from = {verdict.snapshot->metadata.index, verdict.snapshot->metadata.term};
    TRUSS_ASSIGN(opened.membership, snap::parse_v2_store(verdict.snapshot->data.view()));
    opened.snapshot = std::move(verdict.snapshot);
  }
  TRUSS_ASSIGN(wal::OpenedWal log,
               wal::open_and_read(files, process, dir.wal, from,
                                  wal_options(config, opened.level, allocator)));
  for (const std::string& finding : log.contents.report.findings) {
    logger.warn("suspicious WAL", {{"finding", std::string_view(finding)}});
  }
  if (log.repaired) logger.info("repaired WAL", {{"path", std::string_view(dir.wal)}});
  opened.wal = std::move(log.wal);
  opened.hard_state = log.contents.hard_state;
  opened.entries = std::move(log.contents.entries);
  drop_overtaken(opened.entries, opened.snapshot);
  raise_commit(verdict.db.meta.consistent_index, opened.hard_state, logger);
  TRUSS_TRY(make_durable_dirs(files, dir.snap));
  TRUSS_TRY(put_in_place(verdict.received_db, dir, files, logger));
  tidy(dir, from.index, files, logger);
  TRUSS_TRY(found_again(config, inquiry, opened));
  return opened;
}

}  // namespace

Result<std::vector<Member>> initial_members(const Config& config, ClusterInquiry& inquiry) {
  InitialCluster cluster = config.initial_cluster;
  if (cluster.empty()) cluster[config.name] = config.advertise_peer_urls;
  std::vector<Member> members;
  std::set<std::string> seen;
  for (const auto& [name, urls] : cluster) {
    Member member{.id = compute_member_id(urls, config.initial_cluster_token)};
    member.name = name;
    member.peer_urls = urls;
    std::sort(member.peer_urls.begin(), member.peer_urls.end());
    for (const std::string& url : urls) {
      if (seen.insert(url).second) continue;
      return fail(Code::kInvalidArgument,
                  "initial cluster " + text_of(cluster) + " has duplicate url");
    }
    members.push_back(std::move(member));
  }
  std::sort(members.begin(), members.end(),
            [](const Member& a, const Member& b) { return a.id < b.id; });
  TRUSS_ASSIGN(const Member* self, find_self(config, members));
  TRUSS_TRY(check_advertised(config, self->peer_urls, inquiry));
  return members;
}

std::vector<raft::Entry> founding_entries(const std::vector<Member>& members) {
  std::vector<raft::Entry> entries;
  for (const Member& member : members) {
    const raft::ConfChange change{0, raft::ConfChangeType::kAddNode, member.id,
                                  SharedBytes::copy(member_json(member))};
    entries.push_back({raft::Term{1}, raft::Index{entries.size() + 1}, raft::EntryType::kConfChange,
                       SharedBytes::copy(raft::encoded(change))});
  }
  return entries;
}

Result<Opened> open_data_dir(const Config& config, ClusterInquiry& inquiry, FileSystem& files,
                             Process& process, Logger& logger, Executor& allocator) {
  const DataDir dir(config);
  TRUSS_ASSIGN(const bool vacant, is_vacant(dir, files));
  if (vacant && config.new_cluster) return found(dir, config, inquiry, files, process, allocator);
  if (vacant) return join(dir, config, inquiry, files, process, allocator);
  TRUSS_ASSIGN(Opened opened, reopen(dir, config, inquiry, files, process, logger, allocator));
  if (config.force_new_cluster) TRUSS_TRY(force_new_cluster(opened, logger));
  return opened;
}

}  // namespace truss::server
