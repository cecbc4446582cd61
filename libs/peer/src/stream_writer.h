#pragma once

#include <deque>
#include <memory>
#include <string>

#include "activity.h"
#include "context.h"
#include "truss/net/http.h"
#include "truss/peer/msgapp_stream.h"

namespace truss::peer {

/// The sending end of one stream: waits for the peer to dial in, then writes what is queued.
///
/// At most Options::unsent_bytes of frames (and one message) wait for the kernel; the rest waits
/// here, where heartbeats overtake it. A newer connection replaces the older, which ends cleanly.
///
/// Lives on: the transport's thread. *Source:* etcd rafthttp/stream.go, streamWriter.
class StreamWriter final : public std::enable_shared_from_this<StreamWriter> {
 public:
  StreamWriter(std::shared_ptr<Context> context, raft::NodeId peer, StreamKind kind,
               std::shared_ptr<Activity> activity);

  /// The peer dialled in: answers 200 and writes from now on.
  void attach(net::HttpReply reply);
  bool attached() const { return attached_; }
  /// Queues a message; flush() sends. False: full, the message is dropped.
  bool push(raft::Message message);
  void flush();
  /// Ends the stream cleanly.
  void stop();

 private:
  void detach(std::uint64_t connection);
  void write_link_heartbeat();
  void heartbeat_later(std::uint64_t connection);
  void encode(const raft::Message& message);
  bool encode_next();
  Channel channel() const;

  std::shared_ptr<Context> context_;
  const raft::NodeId peer_;
  const StreamKind kind_;
  std::shared_ptr<Activity> activity_;

  net::HttpReply reply_;
  std::uint64_t connection_ = 0;  ///< counts attachments, so that late callbacks know they are late
  bool attached_ = false;
  MsgAppWriter appends_{raft::MessageForm::k36};
  std::deque<raft::Message> urgent_;  ///< heartbeats and their answers
  std::deque<raft::Message> queue_;
  std::size_t queued_bytes_ = 0;
  std::string out_;
};

}  // namespace truss::peer
