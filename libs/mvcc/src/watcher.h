#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "truss/mvcc/watch.h"
#include "watcher_set.h"

namespace truss::mvcc {

struct WatchStreamState;

/// One watch. It is in exactly one of three places: the synced set, the unsynced list, or (with a
/// response its sink had no room for) the victims.
struct Watcher {
  WatchStreamState* stream = nullptr;
  std::uint64_t serial = 0;  ///< never used again, unlike the address
  std::int64_t id = 0;
  std::string key;
  std::string end;
  std::int64_t start_revision = 0;
  std::int64_t next_revision = 0;  ///< the first one it has not been offered yet
  bool no_put = false;
  bool no_delete = false;
  bool prev_kv = false;
  bool fragment = false;
  bool progress_notify = false;

  std::optional<WatchResponse> held;  ///< of a victim
  WatcherSet* set = nullptr;          ///< where WatcherSet::add put it
  std::size_t place = 0;

  bool wants(const Event& event) const {
    return event.type == Event::Type::kPut ? !no_put : !no_delete;
  }
  /// True if `other`, at the same place in history, gets the same events.
  bool watches_like(const Watcher& other) const {
    return key == other.key && end == other.end && no_put == other.no_put &&
           no_delete == other.no_delete;
  }
  WatchResponse response(std::int64_t revision) const {
    WatchResponse out;
    out.watch_id = id;
    out.revision = revision;
    out.prev_kv = prev_kv;
    out.fragment = fragment;
    out.progress_notify = progress_notify;
    return out;
  }
};

struct WatchStreamState {
  std::shared_ptr<WatchSink> sink;
  std::map<std::int64_t, std::unique_ptr<Watcher>> watchers;
  std::int64_t next_id = 0;
  std::size_t group = 0;  ///< its last one in the WatchBatch under way, if that is of this stream
};

}  // namespace truss::mvcc
