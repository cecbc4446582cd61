#include <algorithm>
#include <deque>
#include <tuple>

#include "watch_batch.h"
#include "watch_hub.h"

/// Catching unsynced watchers up from the records of bucket `key`.
namespace truss::mvcc {
namespace {

constexpr std::size_t kMaxPicked = 512;           // watchers of one pass
constexpr std::int64_t kNear = 1000;              // revisions replayed under the lock
constexpr std::size_t kMaxRevisionsBatch = 1000;  // distinct revisions of one response

}  // namespace

/// One pass over the records for some watchers. Uses copies of them, so it may run without the
/// lock.
struct WatchHub::Replay {
  /// Watchers that get the same.
  struct Target {
    Watcher copy;  ///< of the first; set and stream unused, `serial` is the place in `targets`
    std::vector<std::uint64_t> serials;
    std::vector<Event> events;
    std::size_t revisions = 0;
    std::int64_t last = 0;
    bool full = false;
    std::int64_t next = 0;  ///< where it goes on
  };
  Replay(const std::vector<Watcher*>& picked, std::int64_t current);
  Target& target_of(const Watcher& watcher);
  Result<> run(ReadView& view);
  void take(Target& target, const Event& event);

  std::deque<Target> targets;
  WatcherSet set;
  std::int64_t oldest = 0;
  std::int64_t current = 0;
  std::size_t full = 0;
};

WatchHub::Replay::Replay(const std::vector<Watcher*>& picked, std::int64_t now) : current(now) {
  oldest = now + 1;
  // Those that want the same follow each other, most often already.
  std::vector<const Watcher*> order(picked.begin(), picked.end());
  std::stable_sort(order.begin(), order.end(), [](const Watcher* a, const Watcher* b) {
    return std::tie(a->key, a->end, a->next_revision) < std::tie(b->key, b->end, b->next_revision);
  });
  for (const Watcher* watcher : order) {
    target_of(*watcher).serials.push_back(watcher->serial);
    oldest = std::min(oldest, std::max<std::int64_t>(watcher->next_revision, 0));
  }
}

WatchHub::Replay::Target& WatchHub::Replay::target_of(const Watcher& watcher) {
  if (!targets.empty()) {
    const Watcher& last = targets.back().copy;
    if (last.next_revision == watcher.next_revision && last.watches_like(watcher)) {
      return targets.back();
    }
  }
  Target& target = targets.emplace_back();
  target.copy.serial = targets.size() - 1;
  target.copy.key = watcher.key;
  target.copy.end = watcher.end;
  target.copy.next_revision = watcher.next_revision;
  target.copy.no_put = watcher.no_put;
  target.copy.no_delete = watcher.no_delete;
  target.next = current + 1;
  set.add(target.copy);
  return target;
}

void WatchHub::Replay::take(Target& target, const Event& event) {
  const std::int64_t revision = event.kv->mod_revision;
  if (target.full || revision < target.copy.next_revision || !target.copy.wants(event)) return;
  if (revision != target.last) {
    if (target.revisions == kMaxRevisionsBatch) {
      target.full = true;
      target.next = revision;
      ++full;
      return;
    }
    ++target.revisions;
    target.last = revision;
  }
  target.events.push_back(event);
}

Result<> WatchHub::Replay::run(ReadView& view) {
  return view.scan({oldest, 0}, {current + 1, 0}, [&](const ReadView::Record& r) -> Result<bool> {
    TRUSS_ASSIGN(const auto kv, schema::decode_key_value(r.value));
    std::optional<Event> event;
    Result<> made;
    set.match(kv.key, [&](Watcher& copy) {
      Target& target = targets[copy.serial];
      if (target.full || r.revision.main < copy.next_revision) return;
      if (!event && made) {
        auto fresh = make_event(r);
        if (fresh)
          event = *std::move(fresh);
        else
          made = tl::unexpected(std::move(fresh).error());
      }
      if (event) take(target, *event);
    });
    TRUSS_TRY(made);
    return full < targets.size();
  });
}

void WatchHub::schedule_sync() {
  if (sync_scheduled_) return;
  sync_scheduled_ = true;
  executor_.post([hub = shared_from_this()] { hub->sync(); });
}

bool WatchHub::cancel_compacted(Watcher& watcher, std::int64_t compacted) {
  WatchResponse response = watcher.response(0);
  response.canceled = true;
  response.compact_revision = compacted;
  if (!watcher.stream->sink->offer(response, false)) return false;
  forget(watcher);
  watcher.stream->watchers.erase(watcher.id);
  return true;
}

std::vector<Watcher*> WatchHub::pick_unsynced(std::int64_t current, std::int64_t compacted) {
  std::vector<Watcher*> picked;
  std::vector<Watcher*> lost;
  auto it = unsynced_.upper_bound(resume_after_);
  for (std::size_t n = std::min(unsynced_.size(), kMaxPicked); n > 0; --n, ++it) {
    if (it == unsynced_.end()) it = unsynced_.begin();
    resume_after_ = it->first;
    Watcher& watcher = *it->second;
    // After a snapshot a watcher may be ahead of the store; it just waits.
    if (watcher.next_revision < compacted && watcher.next_revision <= current)
      lost.push_back(&watcher);
    else
      picked.push_back(&watcher);
  }
  for (Watcher* watcher : lost) cancel_compacted(*watcher, compacted);
  return picked;
}

void WatchHub::sync() {
  std::unique_lock lock(mutex_);
  sync_scheduled_ = false;
  if (down_) return;
  const std::int64_t current = source_->current_revision();
  const std::vector<Watcher*> picked = pick_unsynced(current, source_->compact_revision());
  std::int64_t oldest = current;
  for (const Watcher* watcher : picked) oldest = std::min(oldest, watcher->next_revision);
  replay(picked, current, current - oldest < kNear ? nullptr : &lock);
  if (unsynced_.empty() || sync_scheduled_ || down_) return;
  // Nothing picked: only cancels that found no room are left, so don't spin.
  if (!picked.empty()) return schedule_sync();
  sync_scheduled_ = true;
  executor_.post_at(clock_.now() + victim_retry_, [hub = shared_from_this()] { hub->sync(); });
}

Result<> WatchHub::run_replay(Replay& replay, std::unique_lock<std::mutex>* lock) {
  TRUSS_ASSIGN(ReadView view, source_->view({replay.oldest, 0}));
  if (!lock) return replay.run(view);
  sync_scheduled_ = true;  // one pass at a time
  lock->unlock();
  const Result<> ran = replay.run(view);
  lock->lock();
  sync_scheduled_ = false;
  return ran;
}

void WatchHub::replay(const std::vector<Watcher*>& picked, std::int64_t current,
                      std::unique_lock<std::mutex>* lock) {
  if (picked.empty()) return;
  Replay replay(picked, current);
  const Result<> ran = run_replay(replay, lock);
  if (down_) return;
  if (ran)
    apply_replay(replay, source_->current_revision());
  else
    cancel_damaged(replay, ran.error());
}

void WatchHub::cancel_damaged(const Replay& replay, const Error& error) {
  for (const Replay::Target& target : replay.targets) {
    for (const std::uint64_t serial : target.serials) {
      const auto it = unsynced_.find(serial);
      if (it != unsynced_.end()) cancel_damaged(*it->second, error);
    }
  }
}

void WatchHub::cancel_damaged(Watcher& watcher, const Error& error) {
  WatchResponse response = watcher.response(source_->current_revision());
  response.canceled = true;
  response.cancel_reason = error.message;
  watcher.stream->sink->offer(response, true);
  forget(watcher);
  watcher.stream->watchers.erase(watcher.id);
}

void WatchHub::apply_replay(Replay& replay, std::int64_t current) {
  WatchBatch batch;
  for (Replay::Target& target : replay.targets) {
    const EventList events = target.events.empty() ? EventList() : std::move(target.events);
    for (const std::uint64_t serial : target.serials) {
      const auto it = unsynced_.find(serial);
      if (it == unsynced_.end()) continue;  // cancelled meanwhile
      Watcher& watcher = *it->second;
      watcher.next_revision = std::max(watcher.next_revision, target.next);
      if (events.empty())
        caught_up(watcher, current);
      else
        batch.add(watcher, events, current);
    }
  }
  batch.offer([&](Watcher& watcher, const EventList& events, bool taken) {
    if (taken) {
      events_total_ += events.size();
      return caught_up(watcher, current);
    }
    unsynced_.erase(watcher.serial);
    hold(watcher, events, current);
  });
}

void WatchHub::caught_up(Watcher& watcher, std::int64_t current) {
  if (watcher.next_revision <= current) return;  // there is more
  unsynced_.erase(watcher.serial);
  synced_.add(watcher);
}

}  // namespace truss::mvcc
