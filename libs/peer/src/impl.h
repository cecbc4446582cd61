#pragma once

#include <absl/container/flat_hash_map.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "context.h"
#include "peer.h"
#include "pipeline.h"
#include "truss/net/http.h"
#include "truss/peer/transport.h"

namespace truss::peer {

/// Peers and remotes by id.
///
/// Lives on: the transport's thread, but for what says otherwise.
struct Transport::Impl : std::enable_shared_from_this<Transport::Impl> {
  explicit Impl(std::shared_ptr<Context> shared) : context(std::move(shared)) {}

  /// Runs `body(impl)` on the transport's thread, unless the transport is gone. Thread: any.
  template <class Body>
  void post(Body body) {
    if (context->thread.is_current()) return body(*this);
    context->thread.post([weak = weak_from_this(), body = std::move(body)]() mutable {
      if (const auto self = weak.lock()) body(*self);
    });
  }

  /// As post(), for short work that others wait for. Always queued: who lends itself to another
  /// loop brings that loop's work here, some of which may be queued from before.
  template <class Body>
  void dispatch(Body body) {
    context->thread.dispatch([weak = weak_from_this(), body = std::move(body)]() mutable {
      if (const auto self = weak.lock()) body(*self);
    });
  }

  void send(std::vector<raft::Message> messages);
  void add_peer(raft::NodeId id, std::vector<std::string> peer_urls);
  void remove_peer(raft::NodeId id);
  void add_remote(raft::NodeId id, std::vector<std::string> peer_urls);
  void stop();

  /// A stream of a known peer was dialled in; the gate and the removed are dealt with.
  void attach(raft::NodeId from, StreamKind kind, const net::HttpRequest& request,
              net::HttpReply reply);
  /// Null for somebody unknown. Thread: any.
  std::shared_ptr<LinkCounts> counts_of(raft::NodeId id) const;
  /// Somebody unknown who says where it can be reached gets its answers there.
  void meet_stranger(const net::HttpRequest& request);

  const std::shared_ptr<Context> context;
  absl::flat_hash_map<raft::NodeId, std::shared_ptr<Peer>> peers;
  absl::flat_hash_map<raft::NodeId, std::shared_ptr<Pipeline>> remotes;
  std::vector<Peer*> touched;  ///< scratch of send()

  // Thread: any.
  std::atomic<std::size_t> waiting_messages{0};  ///< posted, not yet taken by the thread
  std::atomic<std::size_t> waiting_bytes{0};
  std::atomic<bool> serving{false};  ///< between start() and stop()
  mutable std::mutex mutex;          ///< guards activities
  absl::flat_hash_map<raft::NodeId, std::shared_ptr<const Activity>> activities;
};

}  // namespace truss::peer
