#include "pipeline.h"

#include "truss/peer/request_header.h"
#include "truss/peer/text.h"

namespace truss::peer {

Pipeline::Pipeline(std::shared_ptr<Context> context, raft::NodeId peer,
                   std::shared_ptr<PeerUrls> urls, std::shared_ptr<Activity> activity)
    : context_(std::move(context)),
      peer_(peer),
      urls_(std::move(urls)),
      activity_(std::move(activity)) {}

void Pipeline::stop() {
  stopped_ = true;
  queue_.clear();
  queued_bytes_ = 0;
}

bool Pipeline::push(raft::Message message) {
  if (stopped_) return false;
  if (running_ < context_->options.pipeline_workers) {
    queued(message);
    post(message);
    return true;
  }
  const std::size_t bytes = payload_bytes(message);
  if (queue_.size() >= context_->options.pipeline_queue ||
      (queued_bytes_ > 0 && queued_bytes_ + bytes > context_->options.queue_bytes)) {
    return false;
  }
  queued_bytes_ += bytes;
  queued(message);
  queue_.push_back(std::move(message));
  return true;
}

void Pipeline::queued(const raft::Message& message) {
  if (context_->observer != nullptr) context_->observer->queued(Channel::kPipeline, message);
}

void Pipeline::post(const raft::Message& message) {
  ++running_;
  count(context_->sent);
  if (context_->observer != nullptr) context_->observer->written(Channel::kPipeline, message);
  const std::string url = urls_->current();
  net::HttpCall call;
  call.method = "POST";
  call.url = url + "/raft";
  call.headers = raft_headers(context_->identity, std::nullopt);
  call.headers.emplace_back("Content-Type", "application/protobuf");
  call.body = raft::encoded(message, context_->identity.form);
  if (activity_) count(activity_->counts().sent_bytes, call.body.size());
  call.times.connect = context_->options.dial_timeout;
  call.times.write = context_->options.pipeline_timeout;
  call.times.response = context_->options.pipeline_timeout;
  call.max_response_bytes = 64u << 10;
  // Raft takes a message twice, so it may go again on a fresh connection.
  call.repeatable = true;
  context_->requests->fetch(std::move(call),
                            on_thread(*context_, shared_from_this(),
                                      [url](Pipeline& self, const Result<net::HttpResponse>& a) {
                                        self.posted(url, a);
                                      }));
}

void Pipeline::posted(const std::string& url, const Result<net::HttpResponse>& answer) {
  --running_;
  if (stopped_) return;
  if (!answer) {
    failed(url, answer.error().message);
  } else if (answer->status == 204) {
    if (activity_) activity_->works(context_->now());
  } else {
    failed(url, "answered " + std::to_string(answer->status) + ": " + answer->body.substr(0, 200));
    if (answer->status == 403) context_->report_removed();
  }
  if (queue_.empty() || stopped_) return;
  const raft::Message next = std::move(queue_.front());
  queue_.pop_front();
  queued_bytes_ -= payload_bytes(next);
  post(next);
}

void Pipeline::failed(const std::string& url, const std::string& why) {
  urls_->failed(url);
  if (!activity_) {
    context_->logger.debug("failed to post to a remote",
                           {{"peer-id", id_text(peer_.value())}, {"error", why}});
    return;
  }
  count(activity_->counts().sent_failures);
  activity_->failed("post to pipeline", why);
  context_->report_unreachable(peer_);
}

}  // namespace truss::peer
