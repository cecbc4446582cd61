#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "truss/common/clock.h"
#include "truss/common/error.h"
#include "truss/common/executor.h"
#include "truss/common/log.h"
#include "truss/net/io_thread.h"
#include "truss/net/server.h"
#include "truss/peer/link_counts.h"
#include "truss/peer/local_member.h"
#include "truss/peer/observer.h"
#include "truss/peer/types.h"

namespace truss::peer {

/// Where what comes from peers goes. Thread: the transport's; each call is short and never waits.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void receive(raft::Message message) = 0;
  /// What one read of a socket brought, in order.
  virtual void receive_all(std::vector<raft::Message> messages) {
    for (raft::Message& message : messages) receive(std::move(message));
  }
  virtual void report_unreachable(raft::NodeId peer) = 0;
  virtual void report_snapshot(raft::NodeId peer, bool delivered) = 0;
  /// A peer says that we were removed from the cluster for good: the process should end.
  virtual void removed() = 0;
};

/// A database file to send, pulled piece by piece. Thread: one that may block, never two calls at
/// once.
class SnapshotSource {
 public:
  virtual ~SnapshotSource() = default;
  /// The next piece, at most `limit` bytes; empty at the end.
  virtual Result<std::string> read(std::size_t limit) = 0;
};

/// Times and bounds; the defaults are etcd's.
struct Options {
  Duration dial_timeout = std::chrono::seconds(2);  ///< 1 s and the election time-out
  Duration dial_interval = std::chrono::milliseconds(100);
  Duration read_timeout = std::chrono::seconds(5);
  Duration link_heartbeat = std::chrono::microseconds(1'666'667);
  Duration probe_interval = std::chrono::seconds(4);
  Duration pipeline_timeout = std::chrono::seconds(5);  ///< one POST /raft
  std::size_t stream_queue = 4096;                      ///< messages
  std::size_t pipeline_queue = 64;
  std::size_t pipeline_workers = 4;
  /// Bytes of queued messages a peer: beyond, appends are dropped.
  std::size_t queue_bytes = 64u << 20;
  /// Encoded bytes of a stream that may wait for the kernel: what a heartbeat may stand behind.
  std::size_t unsent_bytes = 64u << 10;
  /// Larger forwarded proposals go by POST /raft.
  std::size_t large_proposal_bytes = 64u << 10;
  std::uint64_t max_message_bytes = 512u << 20;  ///< on a stream
  std::uint64_t max_post_bytes = 128u << 20;     ///< on POST /raft
  std::uint64_t max_snapshot_envelope_bytes = 64u << 20;
  std::uint64_t snapshot_bytes_per_second = 0;  ///< 0: no limit
  /// A receiver that takes nothing for so long has failed.
  Duration snapshot_stall_timeout = std::chrono::seconds(30);
  /// From the last byte of a snapshot to the answer: the receiver syncs it meanwhile.
  Duration snapshot_answer_timeout = std::chrono::minutes(10);
};

/// Counters since start, for metrics and tests.
struct Counters {
  std::uint64_t sent_messages = 0;
  std::uint64_t received_messages = 0;
  std::uint64_t dropped_messages = 0;
  std::uint64_t stream_dials = 0;
  std::uint64_t streams_attached = 0;
  std::uint64_t snapshots_sent = 0;
  std::uint64_t snapshots_received = 0;
};

/// All connections of a member with its peers, both ways: etcd's rafthttp.
///
/// Life: construct, install() on the server of the peer port, identify(), start(), …, stop().
/// Thread: methods from any. Everything inside lives on `thread` (which should also be the peer
/// port's), but databases are sent on `bulk`, so that no heartbeat stands behind them, and files
/// are read and written on an executor of its own.
class Transport {
 public:
  /// `local` and `sink` of start() must outlive stop().
  Transport(net::IoThread& thread, net::IoThread& bulk, Runtime& runtime, Logger& logger,
            Options options = {});
  /// Databases are sent on `thread` too.
  Transport(net::IoThread& thread, Runtime& runtime, Logger& logger, Options options = {})
      : Transport(thread, thread, runtime, logger, options) {}
  ~Transport();  ///< stop()
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  /// Adds the routes of the peer port. Before `server` starts. Requests before start() get 503.
  void install(net::Server& server);
  /// Who we are; before add_peer.
  void identify(Identity identity);
  /// Shows what is sent to `observer`, which must outlive stop(). Before start().
  void observe(Observer& observer);
  /// Dials peers and hands over what they send.
  void start(Sink& sink, LocalMember& local);
  /// Closes everything; no call of sink or local starts after it returns. Idempotent.
  void stop();

  /// Queues each message to its `to`: streams, else pipeline, else dropped. Never blocks; what does
  /// not fit is dropped and reported unreachable. Messages to nobody are left out.
  void send(std::vector<raft::Message> messages);
  /// Streams `message` (MsgSnap) and the database to its `to`. The outcome comes by
  /// report_snapshot.
  void send_snapshot(raft::Message message, std::unique_ptr<SnapshotSource> db);

  /// A member of the applied configuration. Known ones get new URLs.
  void add_peer(raft::NodeId id, std::vector<std::string> peer_urls);
  /// Closes its streams; a stream that it dials later is refused.
  void remove_peer(raft::NodeId id);
  void update_peer(raft::NodeId id, std::vector<std::string> peer_urls);
  /// A member of the cluster that is being joined: outbound only.
  void add_remote(raft::NodeId id, std::vector<std::string> peer_urls);
  /// Since when the peer has been reachable; MonoTime{} if it is not.
  MonoTime active_since(raft::NodeId id) const;
  Counters counters() const;
  /// Every peer, ascending by id.
  std::vector<Link> links() const;

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace truss::peer
