#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "truss/common/clock.h"
#include "truss/common/executor.h"
#include "truss/mvcc/backend.h"
#include "truss/mvcc/watch.h"
#include "watcher.h"
#include "watcher_set.h"

namespace truss::mvcc {

/// What the hub needs of the store.
class WatchSource {
 public:
  virtual std::int64_t current_revision() const = 0;
  virtual std::int64_t compact_revision() const = 0;
  virtual Result<ReadView> view(Revision oldest) = 0;
  virtual std::optional<KeyValue> value_at(ByteView key, std::int64_t revision) = 0;

 protected:
  ~WatchSource() = default;
};

/// A record of bucket `key` as an event.
Result<Event> make_event(const ReadView::Record& record);

/// All watches of a store. Its lock is taken before the store's and held while a revision is
/// published, so that a watch sees each revision either live or in its replay, never both or none.
///
/// Thread: any. Offers run under the lock.
class WatchHub : public std::enable_shared_from_this<WatchHub> {
 public:
  WatchHub(WatchSource& source, Executor& executor, Clock& clock, Duration victim_retry)
      : source_(&source), executor_(executor), clock_(clock), victim_retry_(victim_retry) {}

  std::unique_ptr<WatchStream> open_stream(std::shared_ptr<WatchSink> sink);
  /// Makes a revision visible by `make_visible`, then tells its `events` to the synced watchers.
  void publish(const std::function<void()>& make_visible,
               const std::function<std::vector<Event>()>& events, std::int64_t revision);
  /// The store goes over to another database by `replace`: synced watchers replay.
  void start_over(const std::function<void()>& replace);
  /// The store goes away: nothing is offered any more.
  void shut_down();
  WatchStats stats() const;

  // For WatchStream.
  void close_stream(std::uint64_t stream);
  std::int64_t create(std::uint64_t stream, const WatchRequest& request);
  bool cancel(std::uint64_t stream, std::int64_t watch_id);
  void request_progress(std::uint64_t stream);
  bool request_progress(std::uint64_t stream, std::int64_t watch_id);
  void fill_prev_kv(WatchResponse& response);
  std::size_t stream_size(std::uint64_t stream) const;

 private:
  // watch_hub.cc; all need the lock.
  const char* refusal(const WatchStreamState& stream, const WatchRequest& request) const;
  Watcher& add_watcher(WatchStreamState& stream, const WatchRequest& request);
  void place_new(Watcher& watcher, std::int64_t current);
  void forget(Watcher& watcher);
  bool is_synced(const Watcher& watcher) const { return watcher.set == &synced_; }
  bool reached(const Watcher& watcher) const;
  /// A watcher without room becomes a victim that holds what it was not given.
  void hold(Watcher& watcher, const EventList& events, std::int64_t revision);
  struct Hit;
  std::vector<Hit> hits(const std::vector<Event>& events, std::int64_t revision) const;
  void notify(const std::vector<Event>& events, std::int64_t revision);
  void add_unsynced(Watcher& watcher);
  void arm_victims();
  void retry_victims();

  // watch_replay.cc
  struct Replay;
  void schedule_sync();
  void sync();
  std::vector<Watcher*> pick_unsynced(std::int64_t current, std::int64_t compacted);
  bool cancel_compacted(Watcher& watcher, std::int64_t compacted);
  /// The records couldn't be read: tells those watchers so and forgets them.
  void cancel_damaged(const Replay& replay, const Error& error);
  void cancel_damaged(Watcher& watcher, const Error& error);
  /// Replays from a view. `lock`, if given, is let go meanwhile.
  void replay(const std::vector<Watcher*>& picked, std::int64_t current,
              std::unique_lock<std::mutex>* lock);
  Result<> run_replay(Replay& replay, std::unique_lock<std::mutex>* lock);
  void apply_replay(Replay& replay, std::int64_t current);
  /// Moves it to the synced ones, if nothing is left to replay.
  void caught_up(Watcher& watcher, std::int64_t current);

  WatchSource* source_;
  Executor& executor_;
  Clock& clock_;
  const Duration victim_retry_;

  mutable std::mutex mutex_;
  std::map<std::uint64_t, std::unique_ptr<WatchStreamState>> streams_;
  std::map<std::uint64_t, Watcher*> watchers_;  // by serial
  WatcherSet synced_;
  std::map<std::uint64_t, Watcher*> unsynced_;  // by serial
  std::map<std::uint64_t, Watcher*> victims_;   // by serial
  std::uint64_t next_stream_ = 1;
  std::uint64_t next_serial_ = 1;
  std::uint64_t resume_after_ = 0;  // serial of the unsynced watcher last picked
  std::uint64_t events_total_ = 0;
  bool sync_scheduled_ = false;
  bool victims_armed_ = false;
  bool down_ = false;
};

}  // namespace truss::mvcc
