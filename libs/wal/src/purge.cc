#include "truss/wal/maintenance.h"
#include "truss/wal/segment.h"

namespace truss::wal {
namespace {

/// Removes one segment unless its writer still holds it; false if it does.
Result<bool> remove_unlocked(FileSystem& fs, const std::string& dir, const std::string& name) {
  const std::string path = join_path(dir, name);
  TRUSS_ASSIGN(const auto file, fs.open(path, {.write = true}));
  if (auto locked = file->try_lock(LockKind::kOfd, true); !locked) {
    if (locked.error().code == Code::kUnavailable) return false;
    return tl::unexpected(std::move(locked).error());
  }
  TRUSS_TRY(fs.remove(path));
  TRUSS_TRY(fs.sync_dir(dir));
  return true;
}

}  // namespace

Result<std::vector<std::string>> purge(FileSystem& fs, const std::string& dir, PurgeLimits limits) {
  std::vector<std::string> removed;
  if (limits.max_wals == 0) return removed;
  TRUSS_ASSIGN(const auto segments, list_segments(fs, dir));
  for (std::size_t i = 0; segments.size() - i > limits.max_wals && i < limits.most; ++i) {
    if (segments[i + 1].first_index > limits.older_root) break;
    TRUSS_ASSIGN(const bool gone, remove_unlocked(fs, dir, segments[i].file_name()));
    if (!gone) break;
    removed.push_back(segments[i].file_name());
  }
  return removed;
}

}  // namespace truss::wal
