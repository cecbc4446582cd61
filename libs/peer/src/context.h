#pragma once

#include <absl/container/inlined_vector.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "snapshot_refusals.h"
#include "truss/net/http_client.h"
#include "truss/peer/transport.h"

namespace truss::peer {

/// What the parts of a transport share.
///
/// Lives on: the transport's thread, but for the atomics.
struct Context : std::enable_shared_from_this<Context> {
  Context(net::IoThread& loop, net::IoThread& bulk_loop, Runtime& runtime, Logger& log,
          Options given);

  MonoTime now() const { return clock.now(); }
  /// Hands what peers sent to raft.
  void deliver(std::vector<raft::Message>& messages);
  void report_unreachable(raft::NodeId peer);
  void report_snapshot(raft::NodeId peer, bool delivered);
  void report_removed();

  net::IoThread& thread;
  net::IoThread& bulk;  ///< of uploads; may be the same
  Clock& clock;
  Logger& logger;
  const Options options;
  std::unique_ptr<Executor> files;  ///< blocking reads and writes of databases
  /// Null after stop(). The first never pools: a stream has a connection of its own.
  std::unique_ptr<net::HttpClient> streams;
  std::unique_ptr<net::HttpClient> requests;
  std::unique_ptr<net::HttpClient> uploads;  ///< on `bulk`
  Identity identity;
  Sink* sink = nullptr;  ///< null before start() and after stop()
  LocalMember* local = nullptr;
  Observer* observer = nullptr;  ///< null: nobody measures
  bool stopped = false;
  SnapshotRefusals refusals;  ///< of snapshots that came in; thread: any

  std::atomic<std::uint64_t> sent{0};
  std::atomic<std::uint64_t> received{0};
  std::atomic<std::uint64_t> dropped{0};
  std::atomic<std::uint64_t> dials{0};
  std::atomic<std::uint64_t> attached{0};
  std::atomic<std::uint64_t> snapshots_sent{0};
  std::atomic<std::uint64_t> snapshots_received{0};
};

/// Adds one to a counter that only one thread writes.
inline void count(std::atomic<std::uint64_t>& counter, std::uint64_t by = 1) {
  counter.fetch_add(by, std::memory_order_relaxed);
}

/// Bytes of a message's payload, roughly what it costs to keep and to send.
std::size_t payload_bytes(const raft::Message& message);

/// Wraps a callback so that it runs on the transport's thread and only while `target` lives.
template <class T, class Body>
auto on_thread(Context& context, const std::shared_ptr<T>& target, Body body) {
  return [&thread = context.thread, weak = std::weak_ptr<T>(target), body](auto&&... args) {
    if (thread.is_current()) {
      if (const auto self = weak.lock()) body(*self, std::forward<decltype(args)>(args)...);
      return;
    }
    thread.post(
        [weak, body,
         ... held = std::decay_t<decltype(args)>(std::forward<decltype(args)>(args))]() mutable {
          if (const auto self = weak.lock()) body(*self, std::move(held)...);
        });
  };
}

}  // namespace truss::peer
