#include "truss/waltool/remember.h"

#include <algorithm>

#include "db_members.h"
#include "truss/bolt/bolt.h"
#include "truss/common/check.h"
#include "truss/schema/membership.h"
#include "truss/schema/records.h"
#include "truss/snap/snap_file.h"
#include "truss/waltool/repair.h"
#include "undo_file.h"

namespace truss::waltool {
namespace {

using raft::Index;

// A log without much to come: what a start appends makes its file longer.
constexpr std::uint64_t kSegmentBytes = 64 << 10;
constexpr std::uint64_t kMaxUndoBytes = 16 << 20;
constexpr wal::SegmentName kOpen{};
constexpr wal::SegmentName kSealed{0, Index(UINT64_MAX)};

std::string number(auto strong) { return std::to_string(strong.value()); }

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string hex_id(std::uint64_t id) { return schema::member_key(id); }

/// `dir`'s first segment trades its name for one that no start opens, or back.
Result<> rename_first(FileSystem& fs, const std::string& dir, const wal::SegmentName& from,
                      const wal::SegmentName& to) {
  TRUSS_TRY(fs.rename(join_path(dir, from.file_name()), join_path(dir, to.file_name())));
  return fs.sync_dir(dir);
}

bool sealed(FileSystem& fs, const std::string& dir) {
  return exists(fs, join_path(dir, kSealed.file_name()));
}

/// What is to be said of a log alone.
struct LogFacts {
  wal::Identity identity;
  std::uint32_t end_crc = 0;
};
Result<LogFacts> facts_of(FileSystem& fs, const std::string& dir) {
  TRUSS_ASSIGN(const Evidence evidence, gather(fs, {dir, "", ""}));
  if (!evidence.identity) return fail(Code::kCorruption, dir + ": no METADATA record is readable");
  return LogFacts{*evidence.identity, evidence.segments.back().end_crc};
}

Result<std::unique_ptr<bolt::DB>> open_db(FileSystem& fs, Process& process, const DataDir& dir) {
  return bolt::DB::open(fs, dir.db, {.low_memory = true},
                        [&process](std::string_view why) { process.fatal(why); });
}

Result<> put_members(bolt::DB& db, const DbMembers& members) {
  TRUSS_ASSIGN(bolt::Tx tx, db.begin_write());
  TRUSS_TRY(write_db_members(tx, members));
  return tx.commit();
}

/// The ids of which the new members must not be: those here, and those that were removed.
Result<> check_new(const wal::Identity& was, const NewCluster& cluster,
                   const schema::Membership& old) {
  if (was.cluster_id == cluster.id)
    return fail(Code::kInvalidArgument, "the directory belongs to cluster " + hex_id(cluster.id) +
                                            " already: give another token");
  for (const NewMember& member : cluster.members) {
    const std::uint64_t id = member.id.value();
    const bool known = std::ranges::any_of(old.members, [&](const auto& m) { return m.id == id; });
    if (known || std::ranges::find(old.removed, id) != old.removed.end())
      return fail(Code::kInvalidArgument,
                  "member " + hex_id(id) + " is of the old cluster: give another token");
  }
  return {};
}

DbMembers db_members_of(const NewCluster& cluster, const schema::Membership& old,
                        bool with_conf_state) {
  DbMembers out;
  schema::ConfState conf;
  for (const NewMember& member : cluster.members) {
    const std::uint64_t id = member.id.value();
    schema::Member record;
    record.id = id;
    record.peer_urls = member.peer_urls;
    record.name = member.name;
    out.members.emplace_back(schema::member_key(id), schema::encode_member(record));
    conf.voters.push_back(id);
  }
  for (const std::uint64_t id : old.removed)
    out.removed.emplace_back(schema::member_key(id), std::string(schema::kRemovedValue));
  for (const schema::Member& member : old.members)
    out.removed.emplace_back(schema::member_key(member.id), std::string(schema::kRemovedValue));
  if (with_conf_state) out.conf_state = schema::encode_conf_state(conf);
  return out;
}

snap::V2Membership document_of(const NewCluster& cluster, const schema::Membership& old) {
  snap::V2Membership out;
  for (const NewMember& member : cluster.members)
    out.members.push_back({member.id, member.peer_urls, false, {}, {}});
  for (const std::uint64_t id : old.removed) out.removed.emplace_back(id);
  for (const schema::Member& member : old.members) out.removed.emplace_back(member.id);
  std::ranges::sort(out.removed);
  out.version = old.cluster_version;
  return out;
}

Result<> write_undo(FileSystem& fs, tool::Names& names, const DataDir& dir, const UndoFile& undo) {
  const std::string path = undo_path(dir);
  const std::string temporary = path + ".tmp";
  const std::string text = encode_undo(undo);
  TRUSS_ASSIGN(const auto file,
               fs.open(temporary, {.write = true, .create = true, .truncate = true}));
  TRUSS_TRY(file->pwrite(text, 0));
  TRUSS_TRY(file->sync());
  TRUSS_TRY(names.keep_owner(dir.db, temporary));
  TRUSS_TRY(fs.rename(temporary, path));
  return fs.sync_dir(parent_path(path));
}

/// Puts the `.snap` of that name aside, if there is one.
std::string snap_path(const DataDir& dir, raft::SnapshotMark mark) {
  return join_path(dir.snap, snap::snap_file_name(mark));
}
std::string aside(const std::string& path) { return path + ".remembered"; }

/// What remember() has at hand.
struct Work {
  FileSystem& fs;
  tool::Names& names;
  Process& process;
  const DataDir& dir;
  const Evidence& evidence;
  const RememberPlan& plan;
  const NewCluster& cluster;

  /// The new log beside the old one, sealed.
  Result<NewLog> make_log(const raft::ConfState& conf) const {
    TRUSS_ASSIGN(auto log, NewLog::create(fs, names, process, dir, {cluster.self, cluster.id},
                                          plan.base, &conf, kSegmentBytes));
    TRUSS_TRY(log.copy(evidence, plan.last, true));
    TRUSS_TRY(log.finish(plan.state));
    TRUSS_TRY(rename_first(fs, NewLog::path_of(dir), kOpen, kSealed));
    return log;
  }

  Result<> put_snap(const snap::V2Membership& document, bool replaced) const {
    const std::string path = snap_path(dir, plan.base);
    if (replaced) TRUSS_TRY(fs.rename(path, aside(path)));
    return save_snapshot(fs, names, dir, plan.base, document).map([](const auto&) {});
  }

  Result<std::string> run() const {
    TRUSS_ASSIGN(const LogLock lock, LogLock::take(fs, dir));
    TRUSS_ASSIGN(const auto db, open_db(fs, process, dir));
    UndoFile undo;
    undo.was = *evidence.identity;
    undo.now = {cluster.self, cluster.id};
    undo.base = plan.base;
    undo.replaced_snap = exists(fs, snap_path(dir, plan.base));
    schema::Membership old;
    {
      TRUSS_ASSIGN(bolt::Tx tx, db->begin_read());
      TRUSS_ASSIGN(undo.members, read_db_members(tx));
      TRUSS_ASSIGN(old, schema::read_membership(tx));
    }
    TRUSS_TRY(check_new(undo.was, cluster, old));
    raft::ConfState conf;
    for (const NewMember& member : cluster.members) conf.voters.push_back(member.id);
    TRUSS_ASSIGN(auto log, make_log(conf));
    TRUSS_ASSIGN(const LogFacts facts, facts_of(fs, NewLog::path_of(dir)));
    undo.end_crc = facts.end_crc;
    const std::string kept = free_name(fs, dir.wal + ".remembered");
    undo.kept = base_name(kept);
    TRUSS_TRY(write_undo(fs, names, dir, undo));
    TRUSS_TRY(log.put_in_place(kept));
    TRUSS_TRY(put_snap(document_of(cluster, old), undo.replaced_snap));
    const bool conf_state = undo.members.conf_state.has_value();
    TRUSS_TRY(put_members(*db, db_members_of(cluster, old, conf_state)));
    TRUSS_TRY(rename_first(fs, dir.wal, kSealed, kOpen));
    return kept;
  }
};

/// The `.snap` files as before.
Result<> restore_snap(FileSystem& fs, const DataDir& dir, const UndoFile& undo) {
  const std::string path = snap_path(dir, undo.base);
  if (undo.replaced_snap) {
    if (exists(fs, aside(path))) TRUSS_TRY(fs.rename(aside(path), path));
  } else if (exists(fs, path)) {
    TRUSS_TRY(fs.remove(path));
  }
  return fs.sync_dir(dir.snap);
}

Result<> restore_members(FileSystem& fs, Process& process, const DataDir& dir,
                         const UndoFile& undo) {
  TRUSS_ASSIGN(const auto db, open_db(fs, process, dir));
  DbMembers now;
  {
    TRUSS_ASSIGN(bolt::Tx tx, db->begin_read());
    TRUSS_ASSIGN(now, read_db_members(tx));
  }
  return now == undo.members ? Result<>() : put_members(*db, undo.members);
}

/// Puts the old log back and leaves the new one, sealed, where the old one was kept.
Result<> restore_log(FileSystem& fs, tool::Names& names, const DataDir& dir,
                     const std::string& kept) {
  const std::string old = exists(fs, kept) ? kept : NewLog::path_of(dir);
  TRUSS_TRY(names.exchange(dir.wal, old));
  return fs.sync_dir(parent_path(dir.wal));
}

Result<> remove_new_log(FileSystem& fs, const std::string& path, const wal::Identity& identity) {
  if (!exists(fs, path)) return {};
  const auto facts = facts_of(fs, path);
  if (facts && facts->identity != identity) return {};
  return remove_all(fs, path);
}

}  // namespace

std::string undo_path(const DataDir& dir) {
  return join_path(parent_path(dir.snap.empty() ? dir.wal : dir.snap), "remember.undo");
}

Result<RememberPlan> plan_remember(const Evidence& evidence, const Judgement& judgement) {
  if (judgement.repair.kind == RepairKind::kRefused)
    return fail(Code::kFailedPrecondition,
                "the log is " + verdict_name(judgement.verdict) + ": walctl fsck says why");
  if (!evidence.db || evidence.db->consistent_index == 0)
    return fail(Code::kFailedPrecondition,
                "there is no db that has applied anything: nothing to go on with");
  const Index applied(evidence.db->consistent_index);
  for (const Index received : evidence.received_dbs) {
    if (received > applied)
      return fail(Code::kFailedPrecondition,
                  "a db received for entry " + number(received) +
                      " is yet to take the place of the present one: start the member once");
  }
  RememberPlan plan;
  if (judgement.applied) {
    plan.base = *judgement.applied;
  } else {
    const auto snap = std::ranges::find_if(
        evidence.snaps, [&](const SnapFacts& s) { return s.readable && s.mark.index <= applied; });
    if (snap == evidence.snaps.end() || snap->mark.index == Index(0))
      return fail(Code::kFailedPrecondition, "the term of entry " + number(applied) +
                                                 ", the last that the db has applied, can't be "
                                                 "told, and there is no .snap to go on from");
    plan.base = snap->mark;
  }
  plan.last = evidence.entries.good_through(plan.base.index);
  if (plan.last < judgement.needed && plan.base.index < judgement.needed)
    return fail(Code::kFailedPrecondition,
                "entry " + number(plan.last + 1) + " is committed, but not to be had any more");
  const auto* last = evidence.entries.find(plan.last);
  plan.state.term =
      std::max({evidence.state.term, plan.base.term, last ? last->term : raft::Term()});
  plan.state.vote = raft::kNoNode;
  plan.state.commit =
      std::clamp(std::max(evidence.state.commit, judgement.committed), plan.base.index, plan.last);
  for (const ConfChangeAt& change : evidence.conf_changes)
    if (change.index > plan.base.index && change.index <= plan.last)
      plan.dropped_changes.push_back(change.index);
  return plan;
}

std::vector<std::string> remember_steps(const DataDir& dir, const Evidence& evidence,
                                        const RememberPlan& plan, const NewCluster& cluster) {
  std::vector<std::string> out;
  std::string members;
  for (const NewMember& member : cluster.members)
    members += (members.empty() ? "" : ", ") + member.name + " (" + hex_id(member.id.value()) + ")";
  out.push_back("this becomes member " + hex_id(cluster.self.value()) + " of cluster " +
                hex_id(cluster.id) + ", with " + members);
  if (evidence.identity)
    out.push_back("cluster " + hex_id(evidence.identity->cluster_id) +
                  " is left: its members can't talk to the new one");
  out.push_back("write " + undo_path(dir));
  out.push_back("write a new log from entry " + number(plan.base.index) + " on, up to entry " +
                number(plan.last) + ", and put the old one aside as " + dir.wal + ".remembered.N");
  for (const Index index : plan.dropped_changes)
    out.push_back("entry " + number(index) + ", a membership change, becomes an empty one");
  out.push_back("write " + snap_path(dir, plan.base));
  out.push_back("put the new members into " + dir.db);
  return out;
}

Result<std::vector<std::string>> remember(FileSystem& fs, tool::Names& names, Process& process,
                                          const DataDir& dir, const Evidence& evidence,
                                          const RememberPlan& plan, const NewCluster& cluster) {
  if (exists(fs, undo_path(dir)))
    return fail(Code::kAlreadyExists,
                undo_path(dir) + " is there: undo that first, or move it away");
  TRUSS_CHECK(evidence.identity.has_value(), "a plan was made of this evidence");
  TRUSS_ASSIGN(const std::string kept,
               (Work{fs, names, process, dir, evidence, plan, cluster}.run()));
  auto steps = remember_steps(dir, evidence, plan, cluster);
  steps.push_back("kept: " + kept);
  steps.push_back("to undo it before a member starts: walctl remember --undo " + undo_path(dir));
  return steps;
}

Result<std::vector<std::string>> undo_remember(FileSystem& fs, tool::Names& names, Process& process,
                                               const DataDir& dir, const std::string& undo_file) {
  TRUSS_ASSIGN(const std::string text, read_file(fs, undo_file, kMaxUndoBytes));
  TRUSS_ASSIGN(const UndoFile undo, decode_undo(text));
  TRUSS_ASSIGN(const LogLock lock, LogLock::take(fs, dir));
  TRUSS_ASSIGN(const LogFacts facts, facts_of(fs, dir.wal));
  const std::string kept = join_path(parent_path(dir.wal), undo.kept);
  if (facts.identity == undo.now) {
    if (!sealed(fs, dir.wal)) {
      if (facts.end_crc != undo.end_crc)
        return fail(Code::kFailedPrecondition,
                    dir.wal +
                        ": a member has run on it since: what it did would be lost; the old "
                        "log is in " +
                        kept);
      TRUSS_TRY(rename_first(fs, dir.wal, kOpen, kSealed));
    }
    TRUSS_TRY(restore_members(fs, process, dir, undo));
    TRUSS_TRY(restore_snap(fs, dir, undo));
    TRUSS_TRY(restore_log(fs, names, dir, kept));
  } else if (facts.identity != undo.was) {
    return fail(Code::kFailedPrecondition,
                dir.wal + ": belongs to neither of the clusters that " + undo_file + " tells of");
  }
  TRUSS_TRY(remove_new_log(fs, kept, undo.now));
  TRUSS_TRY(remove_new_log(fs, NewLog::path_of(dir), undo.now));
  TRUSS_TRY(fs.remove(undo_file));
  TRUSS_TRY(fs.sync_dir(parent_path(undo_file)));
  return std::vector<std::string>{"this is member " + hex_id(undo.was.node_id.value()) +
                                  " of cluster " + hex_id(undo.was.cluster_id) + " again"};
}

}  // namespace truss::waltool
