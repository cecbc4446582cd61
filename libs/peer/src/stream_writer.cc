#include "stream_writer.h"

#include <utility>

#include "truss/peer/message_stream.h"
#include "truss/peer/text.h"

namespace truss::peer {
namespace {

bool is_urgent(const raft::Message& message) {
  return message.type == raft::MessageType::kHeartbeat ||
         message.type == raft::MessageType::kHeartbeatResp;
}

const char* kind_name(StreamKind kind) {
  return kind == StreamKind::kMessage ? "write message" : "write msgapp";
}

}  // namespace

StreamWriter::StreamWriter(std::shared_ptr<Context> context, raft::NodeId peer, StreamKind kind,
                           std::shared_ptr<Activity> activity)
    : context_(std::move(context)), peer_(peer), kind_(kind), activity_(std::move(activity)) {}

void StreamWriter::attach(net::HttpReply reply) {
  if (attached_) reply_.end();
  reply_ = std::move(reply);
  attached_ = true;
  const std::uint64_t connection = ++connection_;
  appends_ = MsgAppWriter(context_->identity.form);
  reply_.begin(200, {{"X-Etcd-Cluster-Id", id_text(context_->identity.cluster.value())},
                     {"X-Server-Version", context_->identity.server_version}});
  reply_.on_disconnect(on_thread(*context_, shared_from_this(),
                                 [connection](StreamWriter& self) { self.detach(connection); }));
  reply_.on_writable(
      on_thread(*context_, shared_from_this(), [](StreamWriter& self) { self.flush(); }));
  count(context_->attached);
  activity_->works(context_->now());
  heartbeat_later(connection);
  flush();
}

/// The connection is gone; what was queued for it is thrown away, and raft hears of it.
void StreamWriter::detach(std::uint64_t connection) {
  if (!attached_ || connection != connection_) return;
  attached_ = false;
  reply_ = {};
  const std::size_t lost = queue_.size() + urgent_.size();
  queue_.clear();
  urgent_.clear();
  queued_bytes_ = 0;
  activity_->failed(kind_name(kind_), "the peer closed the stream");
  count(context_->dropped, lost);
  count(activity_->counts().sent_failures, lost);
  if (lost > 0) context_->report_unreachable(peer_);
}

void StreamWriter::stop() {
  if (!attached_) return;
  attached_ = false;
  ++connection_;
  queue_.clear();
  urgent_.clear();
  queued_bytes_ = 0;
  std::exchange(reply_, {}).end();
}

bool StreamWriter::push(raft::Message message) {
  const std::size_t bytes = payload_bytes(message);
  if (is_urgent(message)) {
    if (urgent_.size() >= context_->options.stream_queue) return false;
    if (context_->observer != nullptr) context_->observer->queued(channel(), message);
    urgent_.push_back(std::move(message));
    return true;
  }
  if (queue_.size() >= context_->options.stream_queue ||
      (queued_bytes_ > 0 && queued_bytes_ + bytes > context_->options.queue_bytes)) {
    return false;
  }
  queued_bytes_ += bytes;
  if (context_->observer != nullptr) context_->observer->queued(channel(), message);
  queue_.push_back(std::move(message));
  return true;
}

void StreamWriter::flush() {
  if (!attached_) return;
  const std::size_t limit = context_->options.unsent_bytes;
  std::size_t unsent = reply_.queued_bytes();
  while (unsent <= limit) {
    while (unsent + out_.size() <= limit && encode_next()) {
    }
    if (out_.empty()) return;
    count(activity_->counts().sent_bytes, out_.size());
    unsent = reply_.write(out_);
    out_.clear();
    if (reply_.closed()) return;  // detach() is on its way
  }
}

bool StreamWriter::encode_next() {
  std::deque<raft::Message>& from = urgent_.empty() ? queue_ : urgent_;
  if (from.empty()) return false;
  if (&from == &queue_) queued_bytes_ -= payload_bytes(from.front());
  encode(from.front());
  if (context_->observer != nullptr) context_->observer->written(channel(), from.front());
  from.pop_front();
  count(context_->sent);
  return true;
}

Channel StreamWriter::channel() const {
  return kind_ == StreamKind::kMessage ? Channel::kMessage : Channel::kMsgApp;
}

void StreamWriter::encode(const raft::Message& message) {
  if (kind_ == StreamKind::kMsgApp) {
    appends_.write(message, out_);
  } else {
    write_message_frame(message, context_->identity.form, out_);
  }
}

void StreamWriter::heartbeat_later(std::uint64_t connection) {
  context_->thread.post_at(context_->now() + context_->options.link_heartbeat,
                           [weak = weak_from_this(), connection] {
                             const auto self = weak.lock();
                             if (!self || !self->attached_ || self->connection_ != connection) {
                               return;
                             }
                             self->write_link_heartbeat();
                             self->heartbeat_later(connection);
                           });
}

/// Past the queue: the reader closes a stream on which nothing comes for five seconds.
void StreamWriter::write_link_heartbeat() {
  std::string frame;
  if (kind_ == StreamKind::kMsgApp) {
    MsgAppWriter::write_link_heartbeat(frame);
  } else {
    write_message_frame(link_heartbeat(), context_->identity.form, frame);
  }
  count(activity_->counts().sent_bytes, frame.size());
  reply_.write(frame);
}

}  // namespace truss::peer
