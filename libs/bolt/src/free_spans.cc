#include "free_spans.h"

#include "truss/common/check.h"

namespace truss::bolt {

void FreeSpans::insert(Run run) {
  by_first_.emplace(run.first, run.count);
  if (indexed_) by_length_.emplace(run.count, run.first);
}

FreeSpans::ByFirst::iterator FreeSpans::erase(ByFirst::iterator it) {
  if (indexed_) by_length_.erase({it->second, it->first});
  return by_first_.erase(it);
}

void FreeSpans::add(Run run) {
  count_ += run.count;
  auto after = by_first_.lower_bound(run.first);
  TRUSS_CHECK(after == by_first_.end() || run.first + run.count <= after->first,
              "page freed twice");
  if (after != by_first_.end() && after->first == run.first + run.count) {
    run.count += after->second;
    after = erase(after);
  }
  if (after != by_first_.begin()) {
    auto before = std::prev(after);
    TRUSS_CHECK(before->first + before->second <= run.first, "page freed twice");
    if (before->first + before->second == run.first) {
      run = {before->first, before->second + run.count};
      erase(before);
    }
  }
  insert(run);
}

FreeSpans::ByFirst::iterator FreeSpans::find_fit(std::uint64_t count) {
  if (indexed_) {
    const auto fit = by_length_.lower_bound({count, 0});
    return fit == by_length_.end() ? by_first_.end() : by_first_.find(fit->second);
  }
  auto it = by_first_.begin();
  while (it != by_first_.end() && it->second < count) ++it;
  return it;
}

std::optional<std::uint64_t> FreeSpans::take(std::uint64_t count) {
  auto it = find_fit(count);
  if (it == by_first_.end()) return std::nullopt;
  const Run run{it->first, it->second};
  erase(it);
  if (run.count > count) insert({run.first + count, run.count - count});
  count_ -= count;
  return run.first;
}

}  // namespace truss::bolt
