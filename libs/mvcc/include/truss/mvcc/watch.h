#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "truss/common/executor.h"
#include "truss/mvcc/kv.h"

namespace truss::mvcc {

class Store;
class WatchHub;

/// A watch to create. Views live until create() returns.
struct WatchRequest {
  ByteView key{};                   ///< empty becomes "\0"
  ByteView range_end{};             ///< as in RangeRequest
  std::int64_t start_revision = 0;  ///< 0: from the next revision on; < 0 as etcd 3.4.23
  std::int64_t watch_id = 0;        ///< 0: the next id of the stream that is free, from 0
  bool no_put = false;              ///< filter NOPUT
  bool no_delete = false;           ///< filter NODELETE
  bool prev_kv = false;
  bool fragment = false;         ///< carried through to responses
  bool progress_notify = false;  ///< carried through to responses
};

/// Events that many responses share; never changed once made. Cheap to copy. Thread: a value.
class EventList {
 public:
  EventList() = default;
  EventList(std::vector<Event> events)  // NOLINT: a list of them
      : events_(std::make_shared<const std::vector<Event>>(std::move(events))) {}

  bool empty() const { return size() == 0; }
  std::size_t size() const { return events_ == nullptr ? 0 : events_->size(); }
  const Event& operator[](std::size_t index) const { return (*events_)[index]; }
  const Event& front() const { return events_->front(); }
  const Event& back() const { return events_->back(); }
  const Event* begin() const { return events_ == nullptr ? nullptr : events_->data(); }
  const Event* end() const { return begin() + size(); }
  /// True if both are copies of one list.
  bool shares(const EventList& other) const { return events_ == other.events_; }
  std::vector<Event> copy() const { return {begin(), end()}; }

 private:
  std::shared_ptr<const std::vector<Event>> events_;
};

/// One message of a watch stream, in etcd's terms; or the same one for several of its watches.
struct WatchResponse {
  std::int64_t watch_id = 0;
  std::vector<std::int64_t> others;  ///< further watches that get the same
  std::int64_t revision = 0;         ///< for the header; 0 in a compacted cancel, as etcd answers
  bool created = false;
  bool canceled = false;
  std::int64_t compact_revision = 0;
  std::string cancel_reason;
  EventList events;  ///< by (main, sub); a main revision is never split

  bool prev_kv = false;          ///< of the watcher
  bool fragment = false;         ///< of the watcher: this response may be split
  bool progress_notify = false;  ///< of the watcher
};

/// Where responses go. Must not call back into the stream or the store, must not block.
class WatchSink {
 public:
  virtual ~WatchSink() = default;
  /// Takes the response (moves from it) and returns true; or, if it is full and not `forced`,
  /// returns false and leaves it untouched: the hub keeps it and offers it again, in order.
  /// Acknowledgements of create and cancel are forced. A response with `others` is taken or
  /// refused for all of them, and counts as one.
  /// Thread: any of apply, watch executor, and the callers of WatchStream; one at a time.
  virtual bool offer(WatchResponse& response, bool forced) = 0;
};

/// The sink of one client stream: a queue of at most `limit` responses (forced ones beside). Those
/// that are for several watches alike count once.
/// Thread: any.
class WatchQueue final : public WatchSink {
 public:
  static constexpr std::size_t kLimit = 128;
  /// `wake` runs on the offering thread when the queue stops being empty; it must only post.
  explicit WatchQueue(std::function<void()> wake, std::size_t limit = kLimit)
      : wake_(std::move(wake)), limit_(limit) {}
  bool offer(WatchResponse& response, bool forced) override;
  /// The oldest response, nullopt if none. What several watches get alike comes once, with
  /// `others`.
  std::optional<WatchResponse> take();
  std::size_t size() const;

 private:
  std::function<void()> wake_;
  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::deque<WatchResponse> queue_;
};

/// The watches of one client stream.
///
/// Every response with events has all events of each of its main revisions (never splits one).
/// Live: one response a revision and watch. Replay from history: up to 1000 distinct revisions a
/// response. A watch whose sink is full becomes a victim: nothing is lost, it is offered again
/// every 10 ms, and then caught up from history.
/// Thread: any, one at a time (the sink is called from others).
class WatchStream {
 public:
  WatchStream(std::shared_ptr<WatchHub> hub, std::uint64_t id) : hub_(std::move(hub)), id_(id) {}
  WatchStream(const WatchStream&) = delete;
  WatchStream& operator=(const WatchStream&) = delete;
  /// Cancels every watch, silently: no offer() is running or comes after.
  ~WatchStream();

  /// Sends the `created` response and then events. Returns the watch id; after a refusal (range
  /// empty, id in use) -1: then the response also has `canceled` and etcd's reason. A start below
  /// the compact revision is answered by a second response with `canceled`, `compact_revision`.
  std::int64_t create(const WatchRequest& request);
  /// Forgets the watch and sends `canceled`. False, and nothing sent, for an unknown id.
  bool cancel(std::int64_t watch_id);
  /// Sends one empty response with watch_id -1 if every watch of the stream is synced and has
  /// reached its start; else nothing.
  void request_progress();
  /// Sends an empty response for that watch if it is synced (the periodic progress_notify).
  /// Returns whether it was sent.
  bool request_progress(std::int64_t watch_id);
  /// Looks up prev_kv of every event (not of creations; absent if compacted). Reads bolt: call it
  /// where the response is encoded.
  void fill_prev_kv(WatchResponse& response);
  std::size_t size() const;

 private:
  std::shared_ptr<WatchHub> hub_;
  std::uint64_t id_;
};

/// Counters for metrics.
struct WatchStats {
  std::uint64_t streams = 0;
  std::uint64_t watchers = 0;
  std::uint64_t slow_watchers = 0;   ///< unsynced and victims
  std::uint64_t events_total = 0;    ///< offered and taken
  std::uint64_t pending_events = 0;  ///< in victims
};

}  // namespace truss::mvcc
