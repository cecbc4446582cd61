#pragma once

#include "truss/snaptool/restore.h"

namespace truss::snaptool {

/// Revisions after the edit.
struct EditedDb {
  std::int64_t revision = 0;
  std::int64_t compact_revision = -1;
};

/// Copies the image of a snapshot to `target` (0600), checking its SHA-256 on the way.
/// *Durability:* the bytes are on disk, the name is not.
Result<> copy_image(FileSystem& fs, const RestoreOptions& options, const std::string& target,
                    const Progress& progress);

/// Gives the db at `path` the membership of the plan, and bumps its revision if asked for.
/// *Errors:* kCorruption; kFailedPrecondition if it is no etcd db.
Result<EditedDb> edit_db(FileSystem& fs, Process& process, const RestoreOptions& options,
                         const RestorePlan& plan, const std::string& path);

}  // namespace truss::snaptool
