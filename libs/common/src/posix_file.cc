#include "posix_file.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace truss {
namespace {

/// Calls until it is not interrupted.
template <class Call>
auto retry_interrupted(Call call) {
  decltype(call()) result;
  do result = call();
  while (result == -1 && errno == EINTR);
  return result;
}

off_t to_off(std::uint64_t offset) { return static_cast<off_t>(offset); }

class PosixMapping final : public Mapping {
 public:
  PosixMapping(void* data, std::uint64_t size) : data_(data), size_(size) {}
  PosixMapping(const PosixMapping&) = delete;
  PosixMapping& operator=(const PosixMapping&) = delete;
  ~PosixMapping() override { ::munmap(data_, size_); }
  const char* data() const override { return static_cast<const char*>(data_); }
  std::uint64_t size() const override { return size_; }
  void drop_resident() const override { ::madvise(data_, size_, MADV_DONTNEED); }

 private:
  void* data_;
  std::uint64_t size_;
};

/// Where the file is by now, for whoever reads the error: it may have been renamed since it was
/// opened as `path`.
std::string name_now(int fd, const std::string& path) {
  struct stat open {};
  struct stat named {};
  if (::fstat(fd, &open) != 0) return path;
  const bool there = ::stat(path.c_str(), &named) == 0;
  if (there && open.st_ino == named.st_ino && open.st_dev == named.st_dev) return path;
  std::array<char, PATH_MAX> name;
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = ::readlink(link.c_str(), name.data(), name.size());
  return size > 0 ? std::string(name.data(), static_cast<std::size_t>(size)) : path;
}

}  // namespace

PosixFile::~PosixFile() { ::close(fd_); }

Unexpected PosixFile::failed(const char* call) const {
  const int why = errno;
  return fail_errno(std::string(call) + " " + name_now(fd_, path_), why);
}

Result<std::size_t> PosixFile::pread(std::span<char> dst, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < dst.size()) {
    const auto n = retry_interrupted(
        [&] { return ::pread(fd_, dst.data() + done, dst.size() - done, to_off(offset + done)); });
    if (n < 0) return failed("read");
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

Result<> PosixFile::pwrite(ByteView bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const auto n = retry_interrupted(
        [&] { return ::pwrite(fd_, bytes.data(), bytes.size(), to_off(offset)); });
    if (n < 0) return failed("write");
    bytes.remove_prefix(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

Result<> PosixFile::pwritev(std::span<const ByteView> pieces, std::uint64_t offset) {
  constexpr std::size_t kMaxPieces = 64;
  std::array<iovec, kMaxPieces> vectors{};
  std::size_t skip = 0;  // bytes of pieces[0] already written
  while (!pieces.empty()) {
    const std::size_t count = std::min(pieces.size(), kMaxPieces);
    for (std::size_t i = 0; i < count; ++i) {
      const ByteView piece = i == 0 ? pieces[0].substr(skip) : pieces[i];
      vectors[i] = {const_cast<char*>(piece.data()), piece.size()};
    }
    const auto n = retry_interrupted(
        [&] { return ::pwritev(fd_, vectors.data(), static_cast<int>(count), to_off(offset)); });
    if (n < 0) return failed("write");
    offset += static_cast<std::uint64_t>(n);
    skip += static_cast<std::size_t>(n);
    while (!pieces.empty() && skip >= pieces[0].size()) {
      skip -= pieces[0].size();
      pieces = pieces.subspan(1);
    }
  }
  return {};
}

Result<> PosixFile::sync_data() {
  if (::fdatasync(fd_) != 0) return failed("fdatasync");
  return {};
}

Result<> PosixFile::sync() {
  if (::fsync(fd_) != 0) return failed("fsync");
  return {};
}

Result<> PosixFile::begin_write_back(std::uint64_t offset, std::uint64_t length) {
  return write_back(offset, length, SYNC_FILE_RANGE_WRITE);
}

Result<> PosixFile::await_write_back(std::uint64_t offset, std::uint64_t length) {
  return write_back(offset, length, SYNC_FILE_RANGE_WAIT_BEFORE);
}

/// A file system that can't leaves the work to the sync.
Result<> PosixFile::write_back(std::uint64_t offset, std::uint64_t length, unsigned flags) {
  if (length == 0) return {};  // would mean: to the end
  if (::sync_file_range(fd_, to_off(offset), to_off(length), flags) == 0) return {};
  if (errno == ENOSYS || errno == EINVAL || errno == ESPIPE) return {};
  return failed("sync_file_range");
}

void PosixFile::read_ahead(std::uint64_t offset, std::uint64_t length) {
  (void)::posix_fadvise(fd_, to_off(offset), to_off(length), POSIX_FADV_WILLNEED);
}

Result<std::uint64_t> PosixFile::size() {
  struct stat info {};
  if (::fstat(fd_, &info) != 0) return failed("stat");
  return static_cast<std::uint64_t>(info.st_size);
}

Result<> PosixFile::truncate(std::uint64_t size) {
  if (retry_interrupted([&] { return ::ftruncate(fd_, to_off(size)); }) != 0) {
    return failed("truncate");
  }
  return {};
}

Result<> PosixFile::allocate(std::uint64_t size) {
  if (size == 0) return {};  // an error for fallocate
  if (::fallocate(fd_, 0, 0, to_off(size)) == 0) return {};
  if (errno != EOPNOTSUPP && errno != EINTR && errno != ENOSYS) return failed("fallocate");
  TRUSS_ASSIGN(const std::uint64_t present, this->size());
  return present < size ? truncate(size) : Result<>();
}

Result<> PosixFile::try_lock(LockKind kind, bool exclusive) {
  return kind == LockKind::kOfd ? try_ofd_lock(exclusive) : try_flock(exclusive);
}

Result<> PosixFile::try_flock(bool exclusive) {
  const int operation = (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB;
  if (retry_interrupted([&] { return ::flock(fd_, operation); }) == 0) return {};
  if (errno != EWOULDBLOCK) return failed("flock");
  return fail(Code::kUnavailable, path_ + ": locked by another process", EWOULDBLOCK);
}

Result<> PosixFile::try_ofd_lock(bool exclusive) {
  struct flock range {};
  range.l_type = static_cast<short>(exclusive ? F_WRLCK : F_RDLCK);
  range.l_whence = SEEK_SET;
  if (::fcntl(fd_, F_OFD_SETLK, &range) == 0) return {};
  if (errno == EINVAL) return try_flock(exclusive);  // a kernel without OFD locks
  if (errno != EAGAIN && errno != EACCES) return failed("lock");
  return fail(Code::kUnavailable, path_ + ": locked by another process", EWOULDBLOCK);
}

Result<std::unique_ptr<Mapping>> PosixFile::map(std::uint64_t length, MapOptions options) {
  const int flags = MAP_SHARED | (options.populate ? MAP_POPULATE : 0);
  void* data = ::mmap(nullptr, length, PROT_READ, flags, fd_, 0);
  if (data == MAP_FAILED) return failed("mmap");
  auto mapping = std::make_unique<PosixMapping>(data, length);
  if (options.lock && ::mlock(data, length) != 0) return failed("mlock");
  return mapping;
}

}  // namespace truss
