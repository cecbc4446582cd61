#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "truss/common/clock.h"
#include "truss/server/server.h"

namespace truss::server {

/// Callbacks of requests on their way through the log, by request id. Each runs exactly once:
/// answered, failed, expired or stopped. Callbacks never run under a lock. Thread: any.
class Waiters {
 public:
  using Callback = Server::ApplyCallback;

  /// Registers a request made at `now`. False once stopped: the callback was then answered.
  bool add(std::uint64_t id, MonoTime now, Callback done);
  /// Answers the request; false if nobody waits here (another member's, or expired).
  bool answer(std::uint64_t id, Result<ApplyResponse> response);
  bool waiting(std::uint64_t id) const;
  /// The request is applied and only takes its time: it doesn't expire any more.
  void keep(std::uint64_t id);

  struct Expired {
    MonoTime since;
    Callback done;
  };
  /// Takes out the requests made at or before `limit`.
  std::vector<Expired> take_older_than(MonoTime limit);
  /// Fails all, and every later one, with `etcdserver: server stopped`.
  void stop();
  std::size_t size() const;

 private:
  struct Waiter {
    MonoTime since;
    Callback done;
    bool kept = false;  ///< doesn't expire
  };
  /// Requests spread over shards by id, which counts up: neighbours don't share a lock.
  struct Shard {
    mutable std::mutex mutex;
    absl::flat_hash_map<std::uint64_t, Waiter> waiting;
    std::deque<std::pair<MonoTime, std::uint64_t>> by_age;  ///< ids already answered stay till old
    bool stopped = false;
  };
  static constexpr std::size_t kShards = 16;
  Shard& shard(std::uint64_t id) { return shards_[id % kShards]; }
  const Shard& shard(std::uint64_t id) const { return shards_[id % kShards]; }

  std::array<Shard, kShards> shards_;
};

}  // namespace truss::server
