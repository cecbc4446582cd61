#include "purger.h"

#include <utility>

#include "truss/wal/maintenance.h"

namespace truss::server {
Purger::Purger(Parts parts)
    : parts_(std::move(parts)), snapshotter_(parts_.files, parts_.logger, parts_.snap_dir) {}

void Purger::purge(raft::Index older_root) {
  parts_.executor.post([this, older_root] { begin(older_root); });
}

void Purger::begin(raft::Index older_root) {
  older_root_ = older_root;
  if (std::exchange(under_way_, true)) return;
  purge_snapshots();
  purge_segments();
}

void Purger::purge_segments() {
  under_way_ = false;
  if (parts_.max_wals == 0) return;
  const auto gone =
      wal::purge(parts_.files, parts_.wal_dir,
                 {.max_wals = parts_.max_wals, .older_root = replay_floor(), .most = 1});
  if (!gone) parts_.logger.warn("failed to purge WAL files", {{"error", gone.error().message}});
  if (!gone || gone->empty()) return;
  under_way_ = true;
  parts_.executor.post_at(parts_.clock.now() + parts_.pause, [this] { purge_segments(); });
}

void Purger::purge_snapshots() {
  if (parts_.max_snaps == 0) return;
  const auto gone = snapshotter_.purge(parts_.max_snaps, older_root_);
  if (!gone) parts_.logger.warn("failed to purge snap files", {{"error", gone.error().message}});
}

/// Where a member that fell back to the db's older root would start to replay: the newest snapshot
/// that root covers, or the beginning.
raft::Index Purger::replay_floor() {
  const auto marks = snapshotter_.list();
  if (!marks) return raft::Index{};
  for (const raft::SnapshotMark& mark : *marks) {
    if (mark.index <= older_root_) return mark.index;
  }
  return raft::Index{};
}

}  // namespace truss::server
