#pragma once

#include <utility>
#include <vector>

#include "watcher.h"

namespace truss::mvcc {

/// The responses of one turn of the hub. Watches of one stream that get the same are offered
/// together: one place in the queue, one wake-up and one encoding for all of them.
/// Thread: guarded by the hub's lock.
class WatchBatch {
 public:
  void add(Watcher& watcher, const EventList& events, std::int64_t revision) {
    WatchStreamState& stream = *watcher.stream;
    if (stream.group < groups_.size() && fits(groups_[stream.group], watcher, events, revision)) {
      Group& group = groups_[stream.group];
      group.response.others.push_back(watcher.id);
      group.watchers.push_back(&watcher);
      return;
    }
    stream.group = groups_.size();
    groups_.push_back({watcher.response(revision), {&watcher}});
    groups_.back().response.events = events;
  }

  /// Offers all; calls done(watcher, events, taken) for each watcher.
  template <class Done>
  void offer(Done&& done) {
    for (Group& group : groups_) {
      const EventList events = group.response.events;
      const bool taken = group.watchers.front()->stream->sink->offer(group.response, false);
      for (Watcher* watcher : group.watchers) done(*watcher, events, taken);
    }
    groups_.clear();
  }

 private:
  struct Group {
    WatchResponse response;
    std::vector<Watcher*> watchers;
  };
  static bool fits(const Group& group, const Watcher& watcher, const EventList& events,
                   std::int64_t revision) {
    const Watcher& first = *group.watchers.front();
    return first.stream == watcher.stream && group.response.events.shares(events) &&
           group.response.revision == revision && first.prev_kv == watcher.prev_kv &&
           first.fragment == watcher.fragment && first.progress_notify == watcher.progress_notify;
  }

  std::vector<Group> groups_;
};

}  // namespace truss::mvcc
