#include "watcher_set.h"

#include <algorithm>

#include "truss/common/check.h"
#include "watcher.h"

namespace truss::mvcc {
namespace {

bool endless(const std::string& end) { return end.size() == 1 && end[0] == '\0'; }

}  // namespace

WatcherSet::Group& WatcherSet::group_of(const Watcher& watcher) {
  if (watcher.end.empty()) return singles_[watcher.key];
  RangeKey range{watcher.key, watcher.end};
  const auto it = ranges_.find(range);
  return it != ranges_.end() ? *it->second : make_range(range);
}

void WatcherSet::add(Watcher& watcher) {
  TRUSS_CHECK(watcher.set == nullptr);
  Group& group = group_of(watcher);
  watcher.set = this;
  watcher.place = group.watchers.size();
  group.watchers.push_back(&watcher);
  ++count_;
}

void WatcherSet::remove(Watcher& watcher) {
  if (watcher.set != this) return;
  Group& group = group_of(watcher);
  group.watchers[watcher.place] = group.watchers.back();
  group.watchers[watcher.place]->place = watcher.place;
  group.watchers.pop_back();
  watcher.set = nullptr;
  --count_;
  if (!group.watchers.empty()) return;
  if (watcher.end.empty())
    singles_.erase(watcher.key);
  else
    drop_range({watcher.key, watcher.end});
}

WatcherSet::Interval& WatcherSet::add_border(const std::string& key) {
  auto it = intervals_.lower_bound(key);
  if (it == intervals_.end() || it->first != key) {
    // A new border cuts the interval before it in two with the same ranges.
    Interval cut;
    if (it != intervals_.begin()) cut.groups = std::prev(it)->second.groups;
    it = intervals_.emplace_hint(it, key, std::move(cut));
  }
  ++it->second.borders;
  return it->second;
}

void WatcherSet::drop_border(const std::string& key) {
  const auto it = intervals_.find(key);
  if (--it->second.borders == 0) intervals_.erase(it);
}

template <class Visit>
void WatcherSet::for_intervals(const RangeKey& range, Visit&& visit) {
  auto it = intervals_.find(range.first);
  for (; it != intervals_.end() && (endless(range.second) || it->first < range.second); ++it)
    visit(it->second);
}

WatcherSet::Group& WatcherSet::make_range(const RangeKey& range) {
  Group& group = *ranges_.emplace(range, std::make_unique<Group>()).first->second;
  add_border(range.first);
  if (!endless(range.second)) add_border(range.second);
  for_intervals(range, [&](Interval& interval) { interval.groups.push_back(&group); });
  return group;
}

void WatcherSet::drop_range(const RangeKey& range) {
  const auto it = ranges_.find(range);
  Group* group = it->second.get();
  for_intervals(range, [&](Interval& interval) { std::erase(interval.groups, group); });
  drop_border(range.first);
  if (!endless(range.second)) drop_border(range.second);
  ranges_.erase(it);
}

}  // namespace truss::mvcc
