#include "truss/tool/names.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

namespace truss::tool {
namespace {

Result<> give_one(const struct stat& like, const std::string& path) {
  struct stat now {};
  if (::lstat(path.c_str(), &now) != 0) return fail_errno("stat " + path, errno);
  if (now.st_uid == like.st_uid && now.st_gid == like.st_gid) return {};
  if (::lchown(path.c_str(), like.st_uid, like.st_gid) != 0)
    return fail_errno("chown " + path, errno);
  return {};
}

}  // namespace

Result<> PosixNames::exchange(const std::string& a, const std::string& b) {
  if (::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0) return {};
  if (errno == EINVAL || errno == ENOSYS)
    return fail(Code::kUnimplemented, "this file system can't exchange " + a + " and " + b +
                                          " atomically; copy the directory to one that can");
  return fail_errno("exchange " + a + " and " + b, errno);
}

Result<> PosixNames::keep_owner(const std::string& like, const std::string& to) {
  struct stat owner {};
  if (::stat(like.c_str(), &owner) != 0) return fail_errno("stat " + like, errno);
  TRUSS_TRY(give_one(owner, to));
  std::error_code error;
  for (std::filesystem::directory_iterator it(to, error), end; !error && it != end;
       it.increment(error)) {
    TRUSS_TRY(give_one(owner, it->path().string()));
  }
  return {};
}

}  // namespace truss::tool
