#include "disk_tools.h"

#include <stdexcept>

#include "truss/common/bytes.h"
#include "truss/common/crc32c.h"

namespace truss::server::testing {
namespace {

template <class T>
T need(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return *std::move(result);
}
void need(Result<> result) {
  if (!result) throw std::runtime_error(result.error().message);
}

void load_file(FileSystem& disk, const std::string& real_path, const std::string& path) {
  PosixFileSystem real;
  const std::string bytes = need(read_file(real, real_path));
  auto file = need(disk.open(path, {.write = true, .create = true, .truncate = true}));
  need(file->truncate(bytes.size()));
  const std::size_t end = bytes.find_last_not_of('\0');
  if (end != std::string::npos) need(file->pwrite(ByteView(bytes).substr(0, end + 1), 0));
}

}  // namespace

void load_tree(truss::testing::SimFileSystem& disk, const std::string& real_path,
               const std::string& path) {
  PosixFileSystem real;
  need(make_dirs(disk, path));
  for (const std::string& name : need(real.list(real_path))) {
    const std::string from = join_path(real_path, name);
    const std::string to = join_path(path, name);
    if (need(real.stat(from)).directory) {
      load_tree(disk, from, to);
    } else {
      load_file(disk, from, to);
    }
  }
}

std::map<std::string, std::string> fingerprint(FileSystem& disk, const std::string& path) {
  std::map<std::string, std::string> out;
  for (const std::string& name : need(disk.list(path))) {
    const std::string full = join_path(path, name);
    const FileInfo info = need(disk.stat(full));
    if (info.directory) {
      out[full] = "directory";
      out.merge(fingerprint(disk, full));
    } else {
      const std::string bytes = need(read_file(disk, full));
      out[full] = std::to_string(bytes.size()) + " " + std::to_string(crc32c(bytes));
    }
  }
  return out;
}

}  // namespace truss::server::testing
