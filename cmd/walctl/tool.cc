#include "tool.h"

#include <cstdio>

#include "truss/tool/exit_code.h"
#include "truss/tool/lock_holder.h"
#include "truss/tool/progress.h"

namespace truss::walctl {

int Tool::run(tool::Console& console, const std::function<Result<int>()>& body) const {
  const auto code = body();
  return code ? *code : tool::report_error(console, "walctl", code.error());
}

Result<waltool::DataDir> Tool::locate(const std::string& dir) {
  return waltool::locate(files, dir, wal_dir);
}

Result<waltool::Evidence> Tool::gather(const std::string& dir, tool::Console& console) {
  TRUSS_ASSIGN(const auto where, locate(dir));
  std::uint64_t total = 0;
  TRUSS_ASSIGN(const auto names, waltool::segments_of(files, where.wal));
  for (const auto& name : names) {
    TRUSS_ASSIGN(const FileInfo info, files.stat(join_path(where.wal, name.file_name())));
    total += info.size;
  }
  tool::Progress progress(console, clock, !output.no_progress, "reading", total);
  return waltool::gather(files, where, [&](std::uint64_t done) { progress.update(done); });
}

Error Tool::with_holder(Error error, const waltool::DataDir& where) {
  if (error.code != Code::kUnavailable) return error;
  const auto names = waltool::segments_of(files, where.wal);
  if (names) error.message += tool::held_by(join_path(where.wal, names->back().file_name()));
  return error;
}

std::string hex_id(std::uint64_t id) {
  char text[17];
  std::snprintf(text, sizeof text, "%llx", static_cast<unsigned long long>(id));
  return text;
}

}  // namespace truss::walctl
