#include <algorithm>

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
  struct Target {
    Watcher copy;  ///< set and stream unused
    std::vector<Event> events;
    std::size_t revisions = 0;
    std::int64_t last = 0;
    bool full = false;
    std::int64_t next = 0;  ///< where it goes on
  };
  Replay(const std::vector<Watcher*>& picked, std::int64_t current);
  Result<> run(ReadView& view);
  void take(Target& target, const Event& event);

  std::map<std::uint64_t, Target> targets;  // by serial
  WatcherSet set;
  std::int64_t oldest = 0;
  std::int64_t current = 0;
  std::size_t full = 0;
};

WatchHub::Replay::Replay(const std::vector<Watcher*>& picked, std::int64_t now) : current(now) {
  oldest = now + 1;
  for (const Watcher* watcher : picked) {
    Target& target = targets[watcher->serial];
    target.copy.serial = watcher->serial;
    target.copy.key = watcher->key;
    target.copy.end = watcher->end;
    target.copy.next_revision = watcher->next_revision;
    target.copy.no_put = watcher->no_put;
    target.copy.no_delete = watcher->no_delete;
    target.next = now + 1;
    set.add(target.copy);
    oldest = std::min(oldest, std::max<std::int64_t>(watcher->next_revision, 0));
  }
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
      Target& target = targets.at(copy.serial);
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
  for (const auto& [serial, target] : replay.targets) {
    const auto it = unsynced_.find(serial);
    if (it == unsynced_.end()) continue;
    Watcher& watcher = *it->second;
    WatchResponse response = watcher.response(source_->current_revision());
    response.canceled = true;
    response.cancel_reason = error.message;
    watcher.stream->sink->offer(response, true);
    forget(watcher);
    watcher.stream->watchers.erase(watcher.id);
  }
}

void WatchHub::apply_replay(Replay& replay, std::int64_t current) {
  for (auto& [serial, target] : replay.targets) {
    const auto it = unsynced_.find(serial);
    if (it == unsynced_.end()) continue;  // cancelled meanwhile
    Watcher& watcher = *it->second;
    watcher.next_revision = std::max(watcher.next_revision, target.next);
    bool taken = true;
    if (!target.events.empty()) {
      WatchResponse response = watcher.response(current);
      response.events = std::move(target.events);
      taken = deliver(watcher, std::move(response));
    }
    if (taken && watcher.next_revision <= current) continue;
    unsynced_.erase(it);
    if (taken) synced_.add(watcher);
  }
}

}  // namespace truss::mvcc
