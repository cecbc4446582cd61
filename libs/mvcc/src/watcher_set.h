#pragma once

#include <absl/container/btree_map.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bytes_hash.h"
#include "key_index.h"

namespace truss::mvcc {

struct Watcher;

/// Watchers by what they watch, so that a changed key finds its watchers at once: single keys in a
/// hash map, ranges cut at their borders into elementary intervals.
/// Thread: guarded by the hub's lock.
class WatcherSet {
 public:
  void add(Watcher& watcher);
  /// Absent is fine.
  void remove(Watcher& watcher);
  bool empty() const { return count_ == 0; }
  std::size_t size() const { return count_; }

  /// Calls visit(watcher) for each watcher whose range holds `key`.
  template <class Visit>
  void match(ByteView key, Visit&& visit) const {
    if (const auto it = singles_.find(key); it != singles_.end())
      for (Watcher* watcher : it->second.watchers) visit(*watcher);
    auto interval = intervals_.upper_bound(key);
    if (interval == intervals_.begin()) return;
    for (const Group* group : std::prev(interval)->second.groups)
      for (Watcher* watcher : group->watchers) visit(*watcher);
  }

 private:
  /// All watchers of the same key or range.
  struct Group {
    std::vector<Watcher*> watchers;
  };
  /// From its border to the next one the same ranges hold every key.
  struct Interval {
    std::vector<Group*> groups;
    int borders = 0;  ///< ranges that start or end at its border
  };
  using RangeKey = std::pair<std::string, std::string>;

  Group& group_of(const Watcher& watcher);
  Group& make_range(const RangeKey& range);
  void drop_range(const RangeKey& range);
  Interval& add_border(const std::string& key);
  void drop_border(const std::string& key);
  template <class Visit>
  void for_intervals(const RangeKey& range, Visit&& visit);

  BytesMap<Group> singles_;
  absl::flat_hash_map<RangeKey, std::unique_ptr<Group>> ranges_;
  absl::btree_map<std::string, Interval, std::less<>> intervals_;
  std::size_t count_ = 0;
};

}  // namespace truss::mvcc
