#pragma once

#include <cstdint>
#include <map>
#include <mutex>

#include "numbers.h"
#include "truss/peertool/rig.h"

namespace truss::peertool {

/// Who wants to know of which line's arrivals. Thread: any.
class Lines {
 public:
  std::uint64_t open(Rig::Arrived arrived) {
    const std::lock_guard lock(mutex_);
    arrived_[++last_] = std::move(arrived);
    return last_;
  }
  void close(std::uint64_t line) {
    const std::lock_guard lock(mutex_);
    arrived_.erase(line);
  }
  /// Thread: the rig's. What comes for a line that was closed is dropped.
  void arrived(std::uint64_t number, MonoTime at) {
    Rig::Arrived to;
    {
      const std::lock_guard lock(mutex_);
      const auto found = arrived_.find(line_of(number));
      if (found == arrived_.end()) return;
      to = found->second;
    }
    to(index_of(number), at);
  }

 private:
  std::mutex mutex_;  // guards all below
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, Rig::Arrived> arrived_;
};

}  // namespace truss::peertool
