#include "truss/waltool/data_dir.h"

#include "truss/wal/segment.h"

namespace truss::waltool {
namespace {

bool is_file(FileSystem& fs, const std::string& path) {
  const auto info = fs.stat(path);
  return info && !info->directory;
}

}  // namespace

Result<DataDir> locate(FileSystem& fs, const std::string& dir, const std::string& wal_dir) {
  std::string member = dir;
  if (exists(fs, join_path(dir, "member"))) member = join_path(dir, "member");
  DataDir out;
  out.wal = !wal_dir.empty()                             ? wal_dir
            : wal::has_wal(fs, join_path(member, "wal")) ? join_path(member, "wal")
                                                         : dir;
  if (!wal::has_wal(fs, out.wal))
    return fail(Code::kNotFound, dir + ": no write-ahead log here, nor in member/wal or wal");
  if (out.wal == dir && wal_dir.empty()) {
    // A wal folder: its neighbours, if it lies in a member folder.
    if (!dir.ends_with("/wal") && dir != "wal") return out;
    member = parent_path(dir);
  }
  if (exists(fs, join_path(member, "snap"))) out.snap = join_path(member, "snap");
  if (!out.snap.empty() && is_file(fs, join_path(out.snap, "db")))
    out.db = join_path(out.snap, "db");
  return out;
}

}  // namespace truss::waltool
