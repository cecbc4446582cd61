#include "peer.h"

#include <utility>

#include "truss/peer/request_header.h"
#include "truss/peer/text.h"

namespace truss::peer {
namespace {

/// What the shorter framing of appends keeps.
bool is_plain_append(const raft::Message& m) {
  return m.type == raft::MessageType::kApp && !m.reject && m.context.empty() && !m.has_snapshot;
}

}  // namespace

Peer::Peer(std::shared_ptr<Context> context, raft::NodeId id, std::vector<std::string> peer_urls)
    : context_(std::move(context)),
      id_(id),
      urls_(std::make_shared<PeerUrls>(std::move(peer_urls))),
      activity_(std::make_shared<Activity>(id, context_->logger)),
      messages_(std::make_shared<StreamWriter>(context_, id, StreamKind::kMessage, activity_)),
      appends_(std::make_shared<StreamWriter>(context_, id, StreamKind::kMsgApp, activity_)),
      pipeline_(std::make_shared<Pipeline>(context_, id, urls_, activity_)),
      readers_{std::make_shared<StreamReader>(context_, id, StreamKind::kMessage, urls_, activity_),
               std::make_shared<StreamReader>(context_, id, StreamKind::kMsgApp, urls_, activity_)},
      probers_{std::make_shared<Prober>(context_, id, "ROUND_TRIPPER_SNAPSHOT", *context_->streams,
                                        urls_, activity_),
               std::make_shared<Prober>(context_, id, "ROUND_TRIPPER_RAFT_MESSAGE",
                                        *context_->requests, urls_, activity_)} {}

void Peer::start() {
  for (const auto& reader : readers_) reader->start();
  for (const auto& prober : probers_) prober->start();
}

void Peer::stop() {
  stopped_ = true;
  for (const auto& reader : readers_) reader->stop();
  for (const auto& prober : probers_) prober->stop();
  messages_->stop();
  appends_->stop();
  pipeline_->stop();
  if (snapshot_) snapshot_.cancel();
  if (upload_) end_snapshot(false);
}

void Peer::attach(StreamKind kind, net::HttpReply reply) {
  (kind == StreamKind::kMessage ? messages_ : appends_)->attach(std::move(reply));
}

bool Peer::push(raft::Message message) {
  if (message.type == raft::MessageType::kSnap) {  // only send_snapshot() brings its database along
    context_->report_snapshot(id_, false);
    return false;
  }
  const bool bulky = message.type == raft::MessageType::kProp &&
                     payload_bytes(message) > context_->options.large_proposal_bytes;
  if (bulky) return pipeline_->push(std::move(message));
  if (is_plain_append(message) && appends_->attached()) return appends_->push(std::move(message));
  if (messages_->attached()) return messages_->push(std::move(message));
  return pipeline_->push(std::move(message));
}

void Peer::flush() {
  messages_->flush();
  appends_->flush();
}

void Peer::send_snapshot(raft::Message message, std::unique_ptr<SnapshotSource> db) {
  if (stopped_ || upload_) {
    context_->files->post([db = std::move(db)]() mutable { db.reset(); });
    return context_->report_snapshot(id_, false);
  }
  const std::string url = urls_->current();
  net::HttpCall call;
  call.method = "POST";
  call.url = url + "/raft/snapshot";
  call.headers = raft_headers(context_->identity, std::nullopt);
  call.headers.emplace_back("Content-Type", "application/octet-stream");
  call.times.connect = context_->options.dial_timeout;
  call.times.write = context_->options.snapshot_stall_timeout;
  call.times.response = context_->options.snapshot_answer_timeout;
  call.max_response_bytes = 64u << 10;
  context_->logger.info("sending database snapshot",
                        {{"snapshot-index", message.snapshot.metadata.index.value()},
                         {"remote-peer-id", id_text(id_.value())}});
  tally_.emplace(activity_->shared_counts(), &LinkCounts::snapshots_sent, context_->clock);
  upload_ = std::make_shared<SnapshotUpload>(context_, message, std::move(db));
  snapshot_ = context_->uploads->upload(
      std::move(call), upload_,
      on_thread(*context_, shared_from_this(),
                [url](Peer& self, const Result<net::HttpResponse>& answer) {
                  self.snapshot_sent(url, answer);
                }));
  upload_->start(snapshot_);
}

void Peer::snapshot_sent(const std::string& url, const Result<net::HttpResponse>& answer) {
  if (!upload_) return;  // stop() has said how it ended
  if (answer && answer->status == 204) {
    count(context_->snapshots_sent);
    activity_->works(context_->now());
    context_->logger.info("sent database snapshot", {{"remote-peer-id", id_text(id_.value())}});
    return end_snapshot(true);
  }
  const std::string why =
      answer ? "answered " + std::to_string(answer->status) + ": " + answer->body.substr(0, 200)
             : answer.error().message;
  urls_->failed(url);
  activity_->failed("post snapshot", why);
  context_->logger.warn("failed to send database snapshot",
                        {{"remote-peer-id", id_text(id_.value())}, {"error", why}});
  end_snapshot(false);
  if (answer && answer->status == 403) context_->report_removed();
}

/// Raft may ask for the next snapshot as soon as it hears of this one's end, so the source goes
/// first: it pins pages of the database.
void Peer::end_snapshot(bool delivered) {
  tally_->end(delivered);
  snapshot_ = {};
  std::exchange(upload_, nullptr)->close([context = context_, id = id_, delivered] {
    context->thread.post([context, id, delivered] { context->report_snapshot(id, delivered); });
  });
}

}  // namespace truss::peer
