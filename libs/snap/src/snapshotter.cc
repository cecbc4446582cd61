#include "truss/snap/snapshotter.h"

#include <algorithm>

#include "truss/snap/snap_file.h"

namespace truss::snap {
namespace {

/// A .snap holds the v2 document only: megabytes at most.
constexpr std::uint64_t kMaxSnapFileBytes = std::uint64_t{1} << 30;

}  // namespace

Snapshotter::Snapshotter(FileSystem& fs, Logger& log, std::string dir)
    : fs_(fs), log_(log), dir_(std::move(dir)) {}

Result<> Snapshotter::save(const raft::Snapshot& snapshot) {
  if (snapshot.empty()) return {};
  const raft::SnapshotMark mark{snapshot.metadata.index, snapshot.metadata.term};
  const std::string path = join_path(dir_, snap_file_name(mark));
  const auto whole = timed(&SnapMetrics::saves);
  std::string bytes;
  {
    const auto encoding = timed(&SnapMetrics::encodings);
    bytes = encode_snap_file(snapshot);
  }
  TRUSS_TRY(write_file(path, bytes));
  return fs_.sync_dir(dir_);
}

Result<> Snapshotter::write_file(const std::string& path, ByteView bytes) {
  const auto writing = timed(&SnapMetrics::syncs);
  TRUSS_ASSIGN(const auto file,
               fs_.open(path, {.write = true, .create = true, .truncate = true, .mode = 0666}));
  TRUSS_TRY(file->pwrite(bytes, 0));
  return file->sync();
}

ScopedTime Snapshotter::timed(DurationCounts SnapMetrics::*counts) const {
  return {clock_, metrics_ != nullptr ? &(metrics_->*counts) : nullptr};
}

Result<std::vector<raft::SnapshotMark>> Snapshotter::list() {
  TRUSS_ASSIGN(const auto names, fs_.list(dir_));
  std::vector<raft::SnapshotMark> marks;
  for (const std::string& name : names) {
    if (const auto mark = parse_snap_file_name(name)) marks.push_back(*mark);
  }
  std::sort(marks.begin(), marks.end(), [](const auto& a, const auto& b) {
    return a.term != b.term ? a.term > b.term : a.index > b.index;
  });
  return marks;
}

Result<raft::Snapshot> Snapshotter::read(const std::string& name) {
  const std::string path = join_path(dir_, name);
  TRUSS_ASSIGN(const std::string bytes, read_file(fs_, path, kMaxSnapFileBytes));
  auto snapshot = decode_snap_file(bytes);
  if (!snapshot) return fail(path, std::move(snapshot).error());
  return snapshot;
}

void Snapshotter::set_aside(const std::string& name, const Error& why) {
  const std::string path = join_path(dir_, name);
  log_.warn("failed to read a snap file", {{"path", path}, {"error", why.message}});
  if (const auto renamed = fs_.rename(path, path + ".broken"); !renamed) {
    log_.warn("failed to rename a broken snap file",
              {{"path", path}, {"error", renamed.error().message}});
  }
}

Result<raft::Snapshot> Snapshotter::load_matching(
    const std::function<bool(raft::SnapshotMark)>& wanted) {
  TRUSS_ASSIGN(const auto marks, list());
  for (const raft::SnapshotMark& mark : marks) {
    const std::string name = snap_file_name(mark);
    auto snapshot = read(name);
    if (!snapshot && snapshot.error().code != Code::kCorruption) return snapshot;
    if (!snapshot) {
      set_aside(name, snapshot.error());
    } else if (wanted({snapshot->metadata.index, snapshot->metadata.term})) {
      return snapshot;
    }
  }
  return fail(Code::kNotFound, dir_ + ": no usable .snap file");
}

Result<raft::Snapshot> Snapshotter::load_newest(std::span<const raft::SnapshotMark> valid) {
  return load_matching([&](raft::SnapshotMark mark) {
    return std::find(valid.begin(), valid.end(), mark) != valid.end();
  });
}

Result<raft::Snapshot> Snapshotter::load_newest() {
  return load_matching([](raft::SnapshotMark) { return true; });
}

std::string Snapshotter::db_path(raft::Index index) const {
  return join_path(dir_, snap_db_file_name(index));
}

Result<> Snapshotter::remove_orphans() {
  TRUSS_ASSIGN(const auto names, fs_.list(dir_));
  for (const std::string& name : names) {
    if (!name.starts_with("tmp") && !name.starts_with("db.tmp")) continue;
    log_.info("removed an orphan of a broken-off run", {{"path", join_path(dir_, name)}});
    TRUSS_TRY(fs_.remove(join_path(dir_, name)));
  }
  return {};
}

Result<> Snapshotter::release_databases(raft::Index index) {
  TRUSS_ASSIGN(const auto names, fs_.list(dir_));
  for (const std::string& name : names) {
    const auto database = parse_snap_db_file_name(name);
    if (database && *database < index) TRUSS_TRY(fs_.remove(join_path(dir_, name)));
  }
  return {};
}

Result<std::vector<std::string>> Snapshotter::purge(std::uint32_t max_files,
                                                    raft::Index older_root) {
  std::vector<std::string> removed;
  if (max_files == 0) return removed;
  TRUSS_ASSIGN(auto marks, list());
  while (marks.size() > max_files && marks[marks.size() - 2].index <= older_root) {
    removed.push_back(snap_file_name(marks.back()));
    marks.pop_back();
  }
  TRUSS_ASSIGN(auto names, fs_.list(dir_));
  std::erase_if(names, [](const std::string& name) { return !parse_snap_db_file_name(name); });
  const std::size_t databases = names.size() - std::min<std::size_t>(names.size(), max_files);
  removed.insert(removed.end(), names.begin(),
                 names.begin() + static_cast<std::ptrdiff_t>(databases));
  for (const std::string& name : removed) TRUSS_TRY(fs_.remove(join_path(dir_, name)));
  return removed;
}

}  // namespace truss::snap
