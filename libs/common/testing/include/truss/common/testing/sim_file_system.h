#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "truss/common/file_system.h"
#include "truss/common/random.h"

/// A disk in memory that forgets what was not synced, and fails when told to.
namespace truss::testing {

inline constexpr std::uint64_t kSectorBytes = 512;

enum class OpKind : std::uint8_t {
  kOpen,
  kRead,
  kStat,
  kList,
  kLock,
  kMap,
  kCreate,  ///< an open that made a file
  kWrite,
  kTruncate,
  kAllocate,
  kMakeDir,
  kRename,
  kRemove,
  kSyncData,
  kSync,
  kSyncDir,
};

/// True for operations that change the disk or make it durable: the points of a crash sweep.
inline bool is_point(OpKind kind) { return kind >= OpKind::kCreate; }
inline bool is_sync(OpKind kind) { return kind >= OpKind::kSyncData; }
std::string_view op_name(OpKind kind);

/// One call of the file system, as hooks and the log see it.
struct SimOp {
  OpKind kind = OpKind::kOpen;
  std::uint64_t call = 0;   ///< number among all calls, from 1
  std::uint64_t point = 0;  ///< number among mutating and sync operations, from 1; 0 for others
  std::string path;         ///< normalised, present name: "/data/wal/0.wal"
  std::string to;           ///< of a rename
  std::uint64_t offset = 0;
  std::uint64_t length = 0;  ///< bytes; of truncate and allocate the new size

  /// `#12 write /data/wal/0.wal [512, 1024)`
  std::string label() const;
};

/// What a hook makes of a call instead of doing it.
struct SimFault {
  int sys_errno = 0;  ///< reported error; 0 reports success
  /// Bytes of a write that still reach the cache, rounded down to where a sector of the file ends
  /// (a kernel stops between pages, never inside a sector).
  std::uint64_t effect_bytes = 0;

  /// Fails, perhaps after a short effect.
  static SimFault error(int sys_errno, std::uint64_t effect_bytes = 0) {
    return {sys_errno, effect_bytes};
  }
  /// Reports success and does nothing: a sync that lies.
  static SimFault skip() { return {}; }
};

/// Decides about each call before it takes effect; nullopt lets it happen.
using SimInjector = std::function<std::optional<SimFault>(const SimOp&)>;
/// Looks at each crash point before it takes effect.
using SimObserver = std::function<void(const SimOp&)>;

/// Which un-synced changes outlive a crash. Each is a state that POSIX allows.
enum class CrashStyle : std::uint8_t {
  kAny,         ///< one of the others, by chance
  kLoseAll,     ///< only what was synced
  kKeepAll,     ///< everything
  kCut,         ///< everything up to a moment (torn inside a write), nothing after it
  kReversed,    ///< everything after a moment, nothing before it
  kRandom,      ///< each sector and directory operation by itself, even odds
  kMostlyKept,  ///< as kRandom, about 1 in 8 lost
  kMostlyLost,  ///< as kRandom, about 1 in 8 kept
};
std::string_view style_name(CrashStyle style);

struct SimDiskOptions {
  std::uint64_t max_file_bytes = std::uint64_t{1} << 30;  ///< address space reserved per file
  std::uint64_t capacity_bytes = UINT64_MAX;              ///< sum of file sizes; beyond it ENOSPC
  std::size_t log_lines = 64;                             ///< last operations kept for log()
};

class SimDisk;
struct Mount;

/// A simulated file system with a cache and, under it, a durable disk.
///
/// Kept apart until synced, at a grain of 512-byte sectors: each version of each written sector,
/// the size changes of each file, the entry changes of each directory. File::sync_data and sync
/// make a file's bytes and size durable, not its name; sync_dir makes one directory's entries
/// durable. A crash keeps any mixture of the rest: sectors lost, kept, reordered or torn inside one
/// write; size changes up to some moment; directory operations each kept or undone. After a failed
/// sync the un-synced sectors stay un-synced whatever later syncs say, until written again.
///
/// Files are sparse: memory is used for touched 4 KiB pages only. Mappings are views of the cache
/// and see later writes. Relative paths start at "/".
///
/// Thread: any (one lock), but hooks run unlocked on the calling thread.
class SimFileSystem final : public FileSystem {
 public:
  explicit SimFileSystem(SimDiskOptions options = {});
  ~SimFileSystem() override;

  Result<std::unique_ptr<File>> open(const std::string& path, OpenOptions options) override;
  Result<FileInfo> stat(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<> make_dir(const std::string& path, std::uint32_t mode = 0700) override;
  Result<> rename(const std::string& from, const std::string& to) override;
  Result<> remove(const std::string& path) override;
  Result<> sync_dir(const std::string& path) override;
  /// Two names trade places in one step (a kRename to hooks), as renameat2 does it.
  Result<> exchange(const std::string& a, const std::string& b);

  /// A new disk as it may look if power fails now: all durable, no locks, no hooks. This disk goes
  /// on untouched, so one run of a workload can be crashed at each of its points.
  std::unique_ptr<SimFileSystem> crashed(Random& random, CrashStyle style = CrashStyle::kAny) const;
  /// A copy of what is visible now, all of it durable.
  std::unique_ptr<SimFileSystem> clone() const;
  /// Crashes in place: the same object goes on with the crashed disk, hooks cleared, counts at 0;
  /// open files and mappings of before stay valid memory, but every call on them fails with EIO.
  void crash(Random& random, CrashStyle style = CrashStyle::kAny);

  /// Another way to the same disk, for one process: hooks, counts and files are shared, but it can
  /// be cut off alone.
  std::unique_ptr<SimFileSystem> mount() const;
  /// What happens to a killed process: its locks are gone; each call through this object, and on
  /// files opened through it, fails with EIO and does nothing. What it wrote stays as it is, synced
  /// or not. For good.
  void unmount();

  /// From the n-th point on (n >= 1) nothing takes effect and every call fails with EIO.
  void stop_after(std::uint64_t points);
  /// True once stop_after's moment has come.
  bool stopped() const;
  /// The n-th call of any kind (from 1, counted from the disk's birth) fails once.
  void fail_call(std::uint64_t n, SimFault fault);
  /// Replaces the injector; empty for none.
  void inject(SimInjector injector);
  /// Replaces the observer; empty for none. Not called for operations of the observer itself.
  void observe(SimObserver observer);

  std::uint64_t calls() const;
  std::uint64_t points() const;
  /// The last operations, one a line, oldest first.
  std::string log() const;
  /// Number of un-synced sector versions, size changes and directory operations.
  std::uint64_t unsynced() const;

 private:
  explicit SimFileSystem(std::shared_ptr<SimDisk> disk);

  std::shared_ptr<SimDisk> disk_;
  std::shared_ptr<Mount> mount_;
};

/// An injector that skips (reports as done, but doesn't do) operations that `match`.
SimInjector skip_matching(std::function<bool(const SimOp&)> match);

}  // namespace truss::testing
