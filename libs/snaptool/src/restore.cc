#include "truss/snaptool/restore.h"

#include "restore_db.h"
#include "truss/raft/codec.h"
#include "truss/server/member.h"
#include "truss/snap/snapshotter.h"
#include "truss/snap/v2_store.h"
#include "truss/wal/log_reader.h"
#include "truss/wal/wal.h"

// A member's directory around a restored db.
namespace truss::snaptool {
namespace {

constexpr const char* kPart = ".restoring";

server::Member server_member(const RestoredMember& member) {
  server::Member out{.id = member.id};
  out.name = member.name;
  out.peer_urls = member.peer_urls;
  return out;
}

std::vector<raft::Entry> founding_entries(const RestorePlan& plan) {
  std::vector<raft::Entry> entries;
  for (const RestoredMember& member : plan.members) {
    const raft::ConfChange change{0, raft::ConfChangeType::kAddNode, member.id,
                                  SharedBytes::copy(server::member_json(server_member(member)))};
    entries.push_back({raft::Term{1}, raft::Index{entries.size() + 1}, raft::EntryType::kConfChange,
                       SharedBytes::copy(raft::encoded(change))});
  }
  return entries;
}

raft::Snapshot founding_snapshot(const RestorePlan& plan) {
  raft::Snapshot snapshot;
  snap::V2Membership membership;
  for (const RestoredMember& member : plan.members) {
    snapshot.metadata.conf_state.voters.push_back(member.id);
    membership.members.push_back({member.id, member.peer_urls, false, {}, {}});
  }
  snapshot.metadata.index = raft::Index{plan.members.size()};
  snapshot.metadata.term = raft::Term{1};
  snapshot.data = SharedBytes::copy(snap::write_v2_store(membership));
  return snapshot;
}

/// Where things are made before they are moved to where the plan has them.
struct Workshop {
  explicit Workshop(const RestorePlan& plan, bool data_dir_exists)
      : own_wal_dir(plan.wal_dir != join_path(plan.data_dir, "member/wal")),
        root(data_dir_exists ? join_path(plan.data_dir, std::string("member") + kPart)
                             : plan.data_dir + kPart),
        member(data_dir_exists ? root : join_path(root, "member")),
        snap(join_path(member, "snap")),
        wal(own_wal_dir ? plan.wal_dir + kPart : join_path(member, "wal")),
        target(data_dir_exists ? join_path(plan.data_dir, "member") : plan.data_dir) {}

  Result<> clear(FileSystem& fs) const {
    TRUSS_TRY(remove_all(fs, root));
    return own_wal_dir ? remove_all(fs, wal) : Result<>();
  }

  bool own_wal_dir;
  std::string root;    ///< renamed to `target` last
  std::string member;  ///< root, or the folder `member` in it
  std::string snap;
  std::string wal;
  std::string target;
};

Result<> write_log(FileSystem& fs, Process& process, Logger& log, const RestorePlan& plan,
                   const Workshop& shop) {
  const raft::Snapshot snapshot = founding_snapshot(plan);
  TRUSS_TRY(make_dirs(fs, parent_path(shop.wal)));
  TRUSS_ASSIGN(auto wal, wal::Wal::create(fs, process, shop.wal,
                                          wal::encode_identity({plan.self, plan.cluster_id}), {}));
  // The vote goes to the smallest id, as etcd's own restore has it.
  wal->save({raft::Term{1}, plan.members.front().id, snapshot.metadata.index},
            founding_entries(plan));
  snap::Snapshotter snapshotter(fs, log, shop.snap);
  TRUSS_TRY(snapshotter.save(snapshot));
  wal->save_snapshot({snapshot.metadata.index, snapshot.metadata.term},
                     &snapshot.metadata.conf_state);
  wal->close();
  return {};
}

Result<> move_into_place(FileSystem& fs, const RestorePlan& plan, const Workshop& shop) {
  TRUSS_TRY(fs.sync_dir(shop.snap));
  TRUSS_TRY(fs.sync_dir(shop.member));
  TRUSS_TRY(fs.sync_dir(shop.root));
  if (shop.own_wal_dir) {
    if (exists(fs, plan.wal_dir)) TRUSS_TRY(fs.remove(plan.wal_dir));
    TRUSS_TRY(fs.rename(shop.wal, plan.wal_dir));
    TRUSS_TRY(fs.sync_dir(parent_path(plan.wal_dir)));
  }
  TRUSS_TRY(fs.rename(shop.root, shop.target));
  return fs.sync_dir(parent_path(shop.target));
}

Result<Restored> build(FileSystem& fs, Process& process, Logger& log, const RestoreOptions& options,
                       RestorePlan plan, const Workshop& shop, const Progress& progress) {
  TRUSS_TRY(make_dirs(fs, shop.snap));
  const std::string db = join_path(shop.snap, "db");
  TRUSS_ASSIGN(const bolt::PageSet reached, copy_image(fs, options, db, progress));
  TRUSS_ASSIGN(const EditedDb edited, edit_db(fs, process, options, plan, db, reached));
  TRUSS_TRY(write_log(fs, process, log, plan, shop));
  TRUSS_TRY(move_into_place(fs, plan, shop));
  return Restored{std::move(plan), edited.revision, edited.compact_revision};
}

}  // namespace

Result<Restored> restore(FileSystem& fs, Process& process, Logger& log,
                         const RestoreOptions& options, const Progress& progress) {
  TRUSS_ASSIGN(RestorePlan plan, plan_restore(fs, options));
  TRUSS_TRY(db_path_of(fs, options.snapshot));
  const Workshop shop(plan, exists(fs, plan.data_dir));
  TRUSS_TRY(shop.clear(fs));
  auto restored = build(fs, process, log, options, std::move(plan), shop, progress);
  if (!restored) (void)shop.clear(fs);
  return restored;
}

}  // namespace truss::snaptool
