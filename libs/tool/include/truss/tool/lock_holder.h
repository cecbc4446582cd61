#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace truss::tool {

/// A process that holds a lock on a file.
struct LockHolder {
  std::uint64_t pid = 0;  ///< 0: not visible from here (another pid namespace, or no permission)
  std::string name;       ///< of the program, from /proc/PID/comm
  bool exclusive = false;

  /// `process 1234 (etcd)`
  std::string text() const;
};

/// Who holds a flock(2), POSIX or open-file-description lock on the file; empty if nobody does, or
/// if it can't be told. Takes no lock itself. The answer may be old when it comes.
/// *Source:* proc(5): /proc/locks; for open-file-description locks, which name no process there,
/// /proc/PID/fdinfo.
std::vector<LockHolder> lock_holders(const std::string& path);

/// `, held by process 1234 (etcd)` for messages, "" if unknown.
std::string held_by(const std::string& path);

}  // namespace truss::tool
