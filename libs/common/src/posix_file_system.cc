#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "posix_file.h"

namespace truss {
namespace {

Unexpected failed(const char* call, const std::string& path) {
  return fail_errno(std::string(call) + " " + path, errno);
}

int open_flags(const OpenOptions& options) {
  int flags = O_CLOEXEC | (options.write ? O_RDWR : O_RDONLY);
  if (options.create) flags |= O_CREAT;
  if (options.create && options.exclusive) flags |= O_EXCL;
  if (options.truncate) flags |= O_TRUNC;
  return flags;
}

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

}  // namespace

Result<std::unique_ptr<File>> PosixFileSystem::open(const std::string& path, OpenOptions options) {
  int fd = -1;
  do fd = ::open(path.c_str(), open_flags(options), static_cast<mode_t>(options.mode));
  while (fd == -1 && errno == EINTR);
  // Set later, since a refused flag would leave a created file behind.
  if (fd >= 0 && options.direct) (void)::fcntl(fd, F_SETFL, O_DIRECT);
  if (fd < 0) return failed("open", path);
  return std::make_unique<PosixFile>(fd, path);
}

Result<FileInfo> PosixFileSystem::stat(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return failed("stat", path);
  return FileInfo{static_cast<std::uint64_t>(info.st_size), S_ISDIR(info.st_mode),
                  static_cast<std::uint32_t>(info.st_mode & 07777)};
}

Result<std::vector<std::string>> PosixFileSystem::list(const std::string& path) {
  const std::unique_ptr<DIR, CloseDir> dir(::opendir(path.c_str()));
  if (!dir) return failed("open directory", path);
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  if (errno != 0) return failed("read directory", path);
  std::sort(names.begin(), names.end());
  return names;
}

Result<> PosixFileSystem::make_dir(const std::string& path, std::uint32_t mode) {
  if (::mkdir(path.c_str(), static_cast<mode_t>(mode)) != 0) return failed("make directory", path);
  return {};
}

Result<> PosixFileSystem::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return failed("rename", from + " to " + to);
  return {};
}

Result<> PosixFileSystem::remove(const std::string& path) {
  if (::remove(path.c_str()) != 0) return failed("remove", path);
  return {};
}

Result<> PosixFileSystem::sync_dir(const std::string& path) {
  TRUSS_ASSIGN(const auto dir, open(path, {}));
  return dir->sync();
}

}  // namespace truss
