#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "truss/common/clock.h"
#include "truss/common/error.h"
#include "truss/raft/types.h"
#include "truss/server/compat.h"
#include "truss/server/member.h"
#include "truss/server/snapshot_reader.h"

namespace truss::server {

/// What the transport hands back to the server. Thread: any, with no lock held; each call is short
/// and never waits.
class TransportSink {
 public:
  virtual ~TransportSink() = default;
  /// A raft message from a peer. One with a snapshot only after its database is on disk under its
  /// final name (snap::DbReceiver::finish).
  virtual void receive(raft::Message message) = 0;
  /// As many as came in at a time, in order.
  virtual void receive_all(std::vector<raft::Message> messages) {
    for (raft::Message& message : messages) receive(std::move(message));
  }
  /// Sending to the peer failed lately.
  virtual void report_unreachable(raft::NodeId peer) = 0;
  /// A snapshot given to send_snapshot() has arrived (the peer answered 204), or not: refused,
  /// broken off, timed out, dropped. Exactly once each; raft hears of an unreachable peer by it
  /// too.
  virtual void report_snapshot(raft::NodeId peer, bool delivered) = 0;
  /// A peer answered that this member was removed for good (410 on a stream, 403 on a POST): the
  /// server ends itself as if it had applied its own removal.
  virtual void removed() = 0;
};

/// Who the member is that a transport speaks for.
struct TransportIdentity {
  raft::NodeId self;
  ClusterId cluster;
  CompatLevel level = kDefaultLevel;
};

/// The server's only view of its peers. libs/peer implements it over rafthttp, the simulator over
/// its own network. Thread: any.
class Transport {
 public:
  virtual ~Transport() = default;
  /// Called once, before everything else: start finds out who we are.
  virtual void identify(const TransportIdentity& who) { static_cast<void>(who); }
  /// Called once, before the first message.
  virtual void start(TransportSink& sink) = 0;
  /// No sink call starts after it returns. Idempotent.
  virtual void stop() = 0;
  /// Queues the messages, each to its `to`; never blocks. Full-behaviour: a message that can't be
  /// queued is dropped and reported unreachable; raft sends again. Never a MsgSnap.
  virtual void send(std::vector<raft::Message> messages) = 0;
  /// Streams a MsgSnap and the database that belongs to it to `message.to` (POST /raft/snapshot);
  /// never blocks, and never delays what send() carries. `db` is read to its end piece by piece, on
  /// a thread of the transport that may block on the disk and on the peer, and destroyed when the
  /// transfer ends (it pins pages), before the outcome goes to TransportSink::report_snapshot. A
  /// read error breaks the transfer off so that the receiver can't take it for whole.
  /// Several may run at once, to different peers; never two to one peer.
  virtual void send_snapshot(raft::Message message, std::unique_ptr<SnapshotReader> db) = 0;
  virtual void add_peer(raft::NodeId id, const std::vector<std::string>& peer_urls) = 0;
  virtual void remove_peer(raft::NodeId id) = 0;
  virtual void update_peer(raft::NodeId id, const std::vector<std::string>& peer_urls) = 0;
  /// Since when the peer has been reachable; MonoTime{} if it is not.
  virtual MonoTime active_since(raft::NodeId id) const = 0;
};

/// The transport of a member without peers: drops everything.
class NullTransport final : public Transport {
 public:
  void start(TransportSink&) override {}
  void stop() override {}
  void send(std::vector<raft::Message>) override {}
  void send_snapshot(raft::Message, std::unique_ptr<SnapshotReader>) override {}
  void add_peer(raft::NodeId, const std::vector<std::string>&) override {}
  void remove_peer(raft::NodeId) override {}
  void update_peer(raft::NodeId, const std::vector<std::string>&) override {}
  MonoTime active_since(raft::NodeId) const override { return {}; }
};

}  // namespace truss::server
