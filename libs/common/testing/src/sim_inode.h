#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "truss/common/bytes.h"
#include "truss/common/file_system.h"
#include "truss/common/testing/sim_file_system.h"

namespace truss::testing {

/// Tells what outlives a crash. All answers of one crash come from one chooser.
class Survival {
 public:
  Survival(Random& random, CrashStyle style, std::uint64_t now);
  /// Index of the version that the disk holds; `seqs` ascending, the first is the durable one.
  std::size_t pick_version(const std::vector<std::uint64_t>& seqs);
  /// How many of the changes at `seqs` (ascending) are kept, from the first.
  std::size_t pick_prefix(const std::vector<std::uint64_t>& seqs);
  bool keep(std::uint64_t seq);

 private:
  bool chance();

  Random& random_;
  CrashStyle style_;
  std::uint64_t cut_;
};

/// Numbers every change of the disk, so that a crash can cut in time.
struct Sequence {
  std::uint64_t last = 0;
  std::uint64_t next() { return ++last; }
};

/// Reserved address space of one file: stable, zero where untouched. Reserved at first use.
class Region {
 public:
  explicit Region(std::uint64_t max_bytes) : max_bytes_(max_bytes) {}
  ~Region();
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;
  char* data();
  std::uint64_t max_bytes() const { return max_bytes_; }

 private:
  std::uint64_t max_bytes_;
  char* data_ = nullptr;
};

/// Bytes and size of one file: the cache, and what the disk may hold instead.
class FileData {
 public:
  explicit FileData(std::uint64_t max_bytes) : region_(std::make_shared<Region>(max_bytes)) {}

  std::uint64_t size() const { return size_; }
  std::uint64_t max_bytes() const { return region_->max_bytes(); }
  std::size_t read(std::span<char> dst, std::uint64_t offset) const;
  void write(ByteView bytes, std::uint64_t offset, Sequence& sequence);
  /// Truncates or extends; what lies beyond reads as zero.
  void resize(std::uint64_t size, Sequence& sequence);
  /// All of it is durable now, but for sectors that a failed sync gave up.
  void sync();
  /// A sync failed: what is dirty now stays un-synced until written again.
  void fail_sync();
  std::unique_ptr<FileData> crashed(Survival& survival) const;
  std::uint64_t unsynced() const;
  const std::shared_ptr<Region>& region() const { return region_; }

 private:
  using Sector = std::array<char, kSectorBytes>;
  struct Version {
    std::uint64_t seq = 0;
    bool cut = false;               // made by a truncate: on disk exactly if the size change is
    std::unique_ptr<Sector> bytes;  // null for zeros
  };
  struct History {
    std::vector<Version> olds;  // the first is the durable one
    std::uint64_t seq = 0;      // of the version in the cache
    bool cut = false;
    bool abandoned = false;
  };
  struct SizeChange {
    std::uint64_t seq;
    std::uint64_t size;
  };

  void write_sector(std::uint64_t sector, std::size_t begin, ByteView piece, Sequence& sequence);
  void remember(std::uint64_t sector, std::uint64_t seq, bool cut);
  void zero_from(std::uint64_t offset, std::uint64_t seq);
  std::unique_ptr<Sector> copy_sector(std::uint64_t sector) const;
  bool touched(std::uint64_t page) const { return page < touched_.size() && touched_[page]; }
  void touch(std::uint64_t page);
  void copy_touched_to(FileData& out) const;
  /// Metadata changes up to the returned sequence number are on the crashed disk.
  std::uint64_t crash_size(Survival& survival, FileData& out) const;
  void crash_sector(std::uint64_t sector, const History& history, std::uint64_t metadata,
                    Survival& survival, FileData& out) const;

  std::shared_ptr<Region> region_;
  std::vector<bool> touched_;  // 4 KiB pages that may hold something but zeros
  std::uint64_t size_ = 0;
  std::uint64_t durable_size_ = 0;
  std::vector<SizeChange> sizes_;  // un-synced
  std::map<std::uint64_t, History> dirty_;
};

struct Inode;
using InodePtr = std::shared_ptr<Inode>;

/// One create, rename, remove or mkdir: all its effects are kept or undone together.
struct DirOp {
  struct Effect {
    std::weak_ptr<Inode> dir;
    std::string name;
    InodePtr target;  // null: the name is gone
  };
  std::uint64_t seq = 0;
  std::vector<Effect> effects;
};

/// One process's access to the disk; once dead, all that was opened through it is.
struct Mount {
  std::atomic<bool> alive{true};
};

/// Who holds one kind of lock on a file.
class LockTable {
 public:
  /// False if another live holder is in the way.
  bool take(const void* file, std::shared_ptr<Mount> mount, bool exclusive);
  void release(const void* file) { holders_.erase(file); }

 private:
  struct Holder {
    std::shared_ptr<Mount> mount;
    bool exclusive = false;
  };
  std::map<const void*, Holder> holders_;
};

/// A file or a directory.
struct Inode : std::enable_shared_from_this<Inode> {
  using Entries = std::map<std::string, InodePtr>;

  bool directory = false;
  std::uint32_t mode = 0;
  std::weak_ptr<Inode> parent;
  std::string name;

  std::unique_ptr<FileData> data;  // of a file
  std::array<LockTable, 2> locks;  // by LockKind

  Entries entries;  // of a directory: as seen
  Entries durable;  // as on disk
  std::vector<std::shared_ptr<DirOp>> pending;

  std::string path() const;
  /// Makes all entries durable; operations that touch another directory too take it along.
  void sync_entries();
};

/// Performs `op` in the cache and notes it in each directory it touches.
void apply_dir_op(const std::shared_ptr<DirOp>& op);

InodePtr make_directory_inode(std::uint32_t mode);
InodePtr make_file_inode(std::uint32_t mode, std::unique_ptr<FileData> data);

/// The tree under `root` as a crash may leave it; everything in it is durable.
InodePtr crash_tree(const Inode& root, Survival& survival);

}  // namespace truss::testing
