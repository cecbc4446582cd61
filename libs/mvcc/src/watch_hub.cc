#include "watch_hub.h"

#include <algorithm>

#include "truss/common/check.h"
#include "watch_batch.h"

namespace truss::mvcc {
namespace {

constexpr char kEmptyRange[] = "mvcc: watcher range is empty";
constexpr char kDuplicateId[] = "mvcc: duplicate watch ID provided on the WatchStream";

constexpr ByteView kZero{"\0", 1};

ByteView watched_key(const WatchRequest& request) {
  return request.key.empty() ? kZero : request.key;
}

}  // namespace

Result<Event> make_event(const ReadView::Record& record) {
  Event event;
  if (!record.tombstone) {
    TRUSS_ASSIGN(event.kv, KeyValue::wrap(record.owner.empty() ? SharedBytes::copy(record.value)
                                                               : record.owner));
    return event;
  }
  TRUSS_ASSIGN(const auto kv, schema::decode_key_value(record.value));
  event.type = Event::Type::kDelete;
  event.kv = KeyValue::encode({.key = kv.key, .mod_revision = record.revision.main});
  return event;
}

std::unique_ptr<WatchStream> WatchHub::open_stream(std::shared_ptr<WatchSink> sink) {
  std::lock_guard lock(mutex_);
  const std::uint64_t id = next_stream_++;
  auto state = std::make_unique<WatchStreamState>();
  state->sink = std::move(sink);
  streams_.emplace(id, std::move(state));
  return std::make_unique<WatchStream>(shared_from_this(), id);
}

void WatchHub::close_stream(std::uint64_t stream) {
  std::lock_guard lock(mutex_);
  const auto it = streams_.find(stream);
  for (auto& [id, watcher] : it->second->watchers) forget(*watcher);
  streams_.erase(it);
}

void WatchHub::shut_down() {
  std::lock_guard lock(mutex_);
  down_ = true;
}

const char* WatchHub::refusal(const WatchStreamState& stream, const WatchRequest& request) const {
  const bool endless = request.range_end == kZero;
  if (!request.range_end.empty() && !endless && watched_key(request) >= request.range_end)
    return kEmptyRange;
  return stream.watchers.contains(request.watch_id) && request.watch_id != 0 ? kDuplicateId
                                                                             : nullptr;
}

Watcher& WatchHub::add_watcher(WatchStreamState& stream, const WatchRequest& request) {
  std::int64_t id = request.watch_id;
  if (id == 0) {
    while (stream.watchers.contains(stream.next_id)) ++stream.next_id;
    id = stream.next_id++;
  }
  auto watcher = std::make_unique<Watcher>();
  Watcher& w = *watcher;
  w.stream = &stream;
  w.serial = next_serial_++;
  w.id = id;
  w.key = watched_key(request);
  w.end = request.range_end;
  w.start_revision = request.start_revision;
  w.no_put = request.no_put;
  w.no_delete = request.no_delete;
  w.prev_kv = request.prev_kv;
  w.fragment = request.fragment;
  w.progress_notify = request.progress_notify;
  stream.watchers.emplace(id, std::move(watcher));
  watchers_.emplace(w.serial, &w);
  return w;
}

void WatchHub::place_new(Watcher& w, std::int64_t current) {
  w.next_revision = w.start_revision;
  if (w.start_revision != 0 && w.start_revision <= current) return add_unsynced(w);
  w.next_revision = std::max(current + 1, w.start_revision);
  synced_.add(w);
}

std::int64_t WatchHub::create(std::uint64_t stream_id, const WatchRequest& request) {
  std::lock_guard lock(mutex_);
  if (down_) return -1;
  WatchStreamState& stream = *streams_.at(stream_id);
  WatchResponse response;
  response.created = true;
  response.revision = source_->current_revision();
  if (const char* reason = refusal(stream, request)) {
    response.watch_id = -1;
    response.canceled = true;
    response.cancel_reason = reason;
    stream.sink->offer(response, true);
    return -1;
  }
  Watcher& watcher = add_watcher(stream, request);
  const std::int64_t id = response.watch_id = watcher.id;
  const std::int64_t current = response.revision;
  stream.sink->offer(response, true);
  place_new(watcher, current);
  return id;
}

bool WatchHub::cancel(std::uint64_t stream_id, std::int64_t watch_id) {
  std::lock_guard lock(mutex_);
  WatchStreamState& stream = *streams_.at(stream_id);
  const auto it = stream.watchers.find(watch_id);
  if (down_ || it == stream.watchers.end()) return false;
  WatchResponse response;
  response.watch_id = watch_id;
  response.revision = source_->current_revision();
  response.canceled = true;
  forget(*it->second);
  stream.watchers.erase(it);
  stream.sink->offer(response, true);
  return true;
}

void WatchHub::forget(Watcher& watcher) {
  synced_.remove(watcher);
  unsynced_.erase(watcher.serial);
  victims_.erase(watcher.serial);
  watchers_.erase(watcher.serial);
}

void WatchHub::add_unsynced(Watcher& watcher) {
  unsynced_.emplace(watcher.serial, &watcher);
  schedule_sync();
}

bool WatchHub::reached(const Watcher& watcher) const {
  return is_synced(watcher) && source_->current_revision() >= watcher.start_revision;
}

void WatchHub::request_progress(std::uint64_t stream_id) {
  std::lock_guard lock(mutex_);
  if (down_) return;
  WatchStreamState& stream = *streams_.at(stream_id);
  for (const auto& [id, watcher] : stream.watchers)
    if (!reached(*watcher)) return;
  WatchResponse response;
  response.watch_id = -1;
  response.revision = source_->current_revision();
  stream.sink->offer(response, false);
}

bool WatchHub::request_progress(std::uint64_t stream_id, std::int64_t watch_id) {
  std::lock_guard lock(mutex_);
  WatchStreamState& stream = *streams_.at(stream_id);
  const auto it = stream.watchers.find(watch_id);
  if (down_ || it == stream.watchers.end() || !reached(*it->second)) return false;
  WatchResponse response = it->second->response(source_->current_revision());
  return stream.sink->offer(response, false);
}

void WatchHub::fill_prev_kv(WatchResponse& response) {
  std::vector<Event> events = response.events.copy();
  for (Event& event : events)
    if (!event.is_create())
      event.prev_kv = source_->value_at(event.kv->key, event.kv->mod_revision - 1);
  response.events = std::move(events);
}

std::size_t WatchHub::stream_size(std::uint64_t stream_id) const {
  std::lock_guard lock(mutex_);
  return streams_.at(stream_id)->watchers.size();
}

void WatchHub::publish(const std::function<void()>& make_visible,
                       const std::function<std::vector<Event>()>& events, std::int64_t revision) {
  std::lock_guard lock(mutex_);
  make_visible();
  if (!synced_.empty() && !down_) notify(events(), revision);
}

/// An event that a watcher wants. Those of a watcher follow each other, watchers in the order in
/// which they were created.
struct WatchHub::Hit {
  Watcher* watcher;
  std::size_t event;
  bool operator<(const Hit& other) const { return watcher->serial < other.watcher->serial; }
};

std::vector<WatchHub::Hit> WatchHub::hits(const std::vector<Event>& events,
                                          std::int64_t revision) const {
  std::vector<Hit> out;
  for (std::size_t i = 0; i < events.size(); ++i) {
    synced_.match(events[i].kv->key, [&](Watcher& watcher) {
      if (watcher.next_revision <= revision && watcher.wants(events[i]))
        out.push_back({&watcher, i});
    });
  }
  if (!std::is_sorted(out.begin(), out.end())) std::stable_sort(out.begin(), out.end());
  return out;
}

void WatchHub::notify(const std::vector<Event>& events, std::int64_t revision) {
  const std::vector<Hit> all = hits(events, revision);
  WatchBatch batch;
  EventList list;  // of the last watcher, most often that of the next as well
  std::vector<std::size_t> chosen;
  std::vector<std::size_t> wanted;
  for (auto hit = all.begin(); hit != all.end();) {
    Watcher& watcher = *hit->watcher;
    wanted.clear();
    for (; hit != all.end() && hit->watcher == &watcher; ++hit) wanted.push_back(hit->event);
    if (wanted != chosen) {
      chosen = wanted;
      std::vector<Event> own;
      own.reserve(chosen.size());
      for (const std::size_t i : chosen) own.push_back(events[i]);
      list = std::move(own);
    }
    watcher.next_revision = revision + 1;
    batch.add(watcher, list, revision);
  }
  batch.offer([&](Watcher& watcher, const EventList& offered, bool taken) {
    if (taken) {
      events_total_ += offered.size();
    } else {
      synced_.remove(watcher);
      hold(watcher, offered, revision);
    }
  });
}

void WatchHub::hold(Watcher& watcher, const EventList& events, std::int64_t revision) {
  watcher.held = watcher.response(revision);
  watcher.held->events = events;
  victims_.emplace(watcher.serial, &watcher);
  arm_victims();
}

void WatchHub::arm_victims() {
  if (victims_armed_) return;
  victims_armed_ = true;
  executor_.post_at(clock_.now() + victim_retry_,
                    [hub = shared_from_this()] { hub->retry_victims(); });
}

void WatchHub::retry_victims() {
  std::lock_guard lock(mutex_);
  victims_armed_ = false;
  if (down_) return;
  const std::int64_t current = source_->current_revision();
  WatchBatch batch;
  for (const auto& [serial, watcher] : victims_)
    batch.add(*watcher, watcher->held->events, watcher->held->revision);
  batch.offer([&](Watcher& watcher, const EventList& events, bool taken) {
    if (!taken) return;
    events_total_ += events.size();
    watcher.held.reset();
    victims_.erase(watcher.serial);
    if (watcher.next_revision > current)
      synced_.add(watcher);
    else
      add_unsynced(watcher);
  });
  if (!victims_.empty()) arm_victims();
}

void WatchHub::start_over(const std::function<void()>& replace) {
  std::lock_guard lock(mutex_);
  replace();
  for (auto& [serial, watcher] : watchers_) {
    if (!is_synced(*watcher)) continue;
    synced_.remove(*watcher);
    add_unsynced(*watcher);
  }
}

WatchStats WatchHub::stats() const {
  std::lock_guard lock(mutex_);
  WatchStats out;
  out.streams = streams_.size();
  out.watchers = watchers_.size();
  out.slow_watchers = unsynced_.size() + victims_.size();
  out.events_total = events_total_;
  for (const auto& [serial, watcher] : victims_) out.pending_events += watcher->held->events.size();
  return out;
}

}  // namespace truss::mvcc
