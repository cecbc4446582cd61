#pragma once

#include "truss/bolt/walk.h"
#include "truss/snaptool/restore.h"

namespace truss::snaptool {

/// Revisions after the edit.
struct EditedDb {
  std::int64_t revision = 0;
  std::int64_t compact_revision = -1;
};

/// Copies the image of a snapshot to `target` (0600), past the page cache where that can be. Checks
/// the SHA-256 of what it writes, and beside it the pages of the snapshot.
/// Returns: the pages of its tree; of no use where the image has a freelist.
/// *Errors:* kCorruption. *Durability:* the bytes are on disk, the name is not.
Result<bolt::PageSet> copy_image(FileSystem& fs, const RestoreOptions& options,
                                 const std::string& target, const Progress& progress);

/// Gives the db at `path` the membership of the plan, and bumps its revision if asked for.
/// \param reached  what copy_image() gave
/// *Errors:* kCorruption; kFailedPrecondition if it is no etcd db.
Result<EditedDb> edit_db(FileSystem& fs, Process& process, const RestoreOptions& options,
                         const RestorePlan& plan, const std::string& path,
                         const bolt::PageSet& reached);

}  // namespace truss::snaptool
