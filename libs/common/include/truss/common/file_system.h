#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "truss/common/bytes.h"
#include "truss/common/error.h"

namespace truss {

/// What OpenOptions::direct asks of addresses, offsets and lengths.
inline constexpr std::size_t kDirectAlign = 4096;

struct OpenOptions {
  bool write = false;      ///< read-write; otherwise read-only
  bool create = false;     ///< create if absent
  bool exclusive = false;  ///< with create: fail with kAlreadyExists if present
  bool truncate = false;
  /// Past the page cache, where the file system can (else as usual): memory, offset and length of
  /// every read and write must be multiples of kDirectAlign.
  bool direct = false;
  std::uint32_t mode = 0600;
};

enum class LockKind {
  kFlock,  ///< flock(2): bolt files
  kOfd,    ///< open-file-description write lock, whole file (falls back to flock): WAL segments
};

struct MapOptions {
  bool populate = false;  ///< MAP_POPULATE: read the file ahead at once
  bool lock = false;      ///< mlock the pages
};

/// A read-only shared view of a file. It sees later writes to the file. Bytes past the end of the
/// file must not be touched. Unmapped by the destructor.
class Mapping {
 public:
  virtual ~Mapping() = default;
  virtual const char* data() const = 0;
  virtual std::uint64_t size() const = 0;
  /// Gives what was touched back to the kernel: the process' resident memory falls, and what is
  /// touched again is mapped again (from the page cache while it lasts). A hint. Thread: any.
  virtual void drop_resident() const {}
};

/// An open file. Closed (and its locks dropped) by the destructor.
/// Thread: any, but callers order overlapping writes themselves.
class [[nodiscard]] File {
 public:
  virtual ~File() = default;
  /// Reads up to dst.size() bytes at `offset`. Returns fewer only at the end of the file.
  virtual Result<std::size_t> pread(std::span<char> dst, std::uint64_t offset) = 0;
  /// Writes all of `bytes` at `offset`, extending the file. Durability: none before a sync.
  virtual Result<> pwrite(ByteView bytes, std::uint64_t offset) = 0;
  /// Writes the pieces one after the other from `offset`. Durability: none before a sync.
  virtual Result<> pwritev(std::span<const ByteView> pieces, std::uint64_t offset) = 0;
  /// fdatasync: bytes and size are on disk when it returns. Never retry a failed one.
  virtual Result<> sync_data() = 0;
  /// fsync: as sync_data, and all other metadata of the file.
  virtual Result<> sync() = 0;
  /// Sets the device to work on what was written of [offset, offset + length), without waiting for
  /// it: whoever writes much does so now and then, or its sync makes everybody else's wait for all
  /// of it. Durability: none before a sync.
  virtual Result<> begin_write_back(std::uint64_t offset, std::uint64_t length);
  /// Waits until the device has taken what begin_write_back of that range set out. Durability: none
  /// before a sync. Errors: as of a sync; what failed to be written isn't reported again.
  virtual Result<> await_write_back(std::uint64_t offset, std::uint64_t length);
  /// A hint that the range will be read soon: the device may fetch it meanwhile.
  virtual void read_ahead(std::uint64_t offset, std::uint64_t length);
  virtual Result<std::uint64_t> size() = 0;
  virtual Result<> truncate(std::uint64_t size) = 0;
  /// Preallocates [0, size) and extends the file to `size`; new bytes read as zero. Falls back to
  /// truncate where the file system can't. Never shrinks.
  virtual Result<> allocate(std::uint64_t size) = 0;
  /// Takes the lock without waiting. Errors: kUnavailable if somebody else holds it.
  virtual Result<> try_lock(LockKind kind, bool exclusive) = 0;
  /// Maps [0, length), which may reach past the end of the file.
  virtual Result<std::unique_ptr<Mapping>> map(std::uint64_t length, MapOptions options) = 0;
};

struct FileInfo {
  std::uint64_t size = 0;
  bool directory = false;
  std::uint32_t mode = 0;
};

/// The file system, real or simulated. Paths are absolute or relative to the process.
/// A create, rename or remove is durable only after sync_dir of the parent. Thread: any.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenOptions options) = 0;
  virtual Result<FileInfo> stat(const std::string& path) = 0;
  /// Names (not paths) in the directory, sorted, without "." and "..".
  virtual Result<std::vector<std::string>> list(const std::string& path) = 0;
  virtual Result<> make_dir(const std::string& path, std::uint32_t mode = 0700) = 0;
  virtual Result<> rename(const std::string& from, const std::string& to) = 0;
  /// Removes one file or one empty directory.
  virtual Result<> remove(const std::string& path) = 0;
  /// fsync of a directory: its entries are on disk when it returns.
  virtual Result<> sync_dir(const std::string& path) = 0;
};

/// True if something is there; an unreadable parent counts as absent.
bool exists(FileSystem& fs, const std::string& path);
/// mkdir -p. Durability: none; sync the parents yourself.
Result<> make_dirs(FileSystem& fs, const std::string& path, std::uint32_t mode = 0700);
/// rm -r; absent is fine.
Result<> remove_all(FileSystem& fs, const std::string& path);
/// The whole file. Errors: kResourceExhausted if it is larger than `limit_bytes`.
Result<std::string> read_file(FileSystem& fs, const std::string& path,
                              std::uint64_t limit_bytes = std::uint64_t{1} << 30);
/// "a/b" of "a" and "b".
std::string join_path(ByteView dir, ByteView name);
/// The part before the last '/': parent directory, "." if none.
std::string parent_path(ByteView path);

/// The kernel's file system. Thread: any.
class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenOptions options) override;
  Result<FileInfo> stat(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<> make_dir(const std::string& path, std::uint32_t mode) override;
  Result<> rename(const std::string& from, const std::string& to) override;
  Result<> remove(const std::string& path) override;
  Result<> sync_dir(const std::string& path) override;
};

}  // namespace truss
