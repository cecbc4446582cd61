#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "sim_inode.h"

namespace truss::testing {

/// The state behind a SimFileSystem and its open files.
class SimDisk : public std::enable_shared_from_this<SimDisk> {
 public:
  SimDisk(SimDiskOptions options, InodePtr root);

  /// Counts, logs and shows the call to the hooks. A value: do that instead of the operation.
  /// Called without the lock.
  /// Calls through a dead mount fail with EIO and are not counted.
  std::optional<SimFault> enter(SimOp& op, const Mount& mount);

  /// Parent directory and last name of a path. Errors: kNotFound, not a directory.
  struct Place {
    InodePtr dir;
    std::string name;
  };
  Result<Place> locate(const std::string& path) const;
  Result<InodePtr> find(const std::string& path) const;
  bool fits(std::uint64_t more_bytes) const;
  std::shared_ptr<SimDisk> crashed(Random& random, CrashStyle style) const;
  std::uint64_t unsynced() const;

  mutable std::mutex mutex;  // guards everything below
  const SimDiskOptions options;
  InodePtr root;
  Sequence sequence;
  std::uint64_t calls = 0;
  std::uint64_t points = 0;
  std::uint64_t stop_point = UINT64_MAX;
  bool stopped = false;
  bool observing = false;
  std::map<std::uint64_t, SimFault> call_faults;
  std::shared_ptr<SimInjector> injector;
  std::shared_ptr<SimObserver> observer;
  std::deque<std::string> lines;

 private:
  void number(SimOp& op);
};

/// "/a/b" of any spelling of a path.
std::string normal_path(const std::string& path);
/// The failing side of a Result for a faulted call.
Unexpected fault_error(const SimOp& op, int sys_errno);

std::unique_ptr<File> make_sim_file(std::shared_ptr<SimDisk> disk, std::shared_ptr<Mount> mount,
                                    InodePtr inode, bool writable);

}  // namespace truss::testing
