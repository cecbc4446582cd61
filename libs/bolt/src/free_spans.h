#pragma once

#include <absl/container/btree_map.h>
#include <absl/container/btree_set.h>

#include <cstdint>
#include <optional>
#include <utility>

#include "truss/bolt/bolt.h"
#include "truss/bolt/format.h"

namespace truss::bolt {

/// The set of free pages as maximal runs. kArray hands out the lowest run that fits; kHashMap the
/// smallest (an exact one if there is any), without a scan. Both are deterministic.
class FreeSpans {
 public:
  explicit FreeSpans(FreelistType type) : indexed_(type == FreelistType::kHashMap) {}

  /// Invariant: none of the pages is in the set.
  void add(Run run);
  /// Takes `count` contiguous pages; nullopt if there is no such run.
  std::optional<std::uint64_t> take(std::uint64_t count);
  std::uint64_t count() const { return count_; }
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const auto& [first, length] : by_first_) visit(Run{first, length});
  }

 private:
  using ByFirst = absl::btree_map<std::uint64_t, std::uint64_t>;
  ByFirst::iterator find_fit(std::uint64_t count);
  void insert(Run run);
  ByFirst::iterator erase(ByFirst::iterator it);

  bool indexed_;
  std::uint64_t count_ = 0;
  ByFirst by_first_;                                                    // first -> length
  absl::btree_set<std::pair<std::uint64_t, std::uint64_t>> by_length_;  // (length, first)
};

}  // namespace truss::bolt
