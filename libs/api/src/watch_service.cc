#include "watch_service.h"

#include <map>
#include <optional>

#include "proto_bytes.h"
#include "token_check.h"
#include "truss/mvcc/store.h"
#include "truss/mvcc/watch.h"
#include "truss/proto/rpc.pb.h"

namespace truss::api {
namespace {

using etcdserverpb::WatchCreateRequest;
using etcdserverpb::WatchRequest;

constexpr std::int64_t kNoWatch = -1;
constexpr std::size_t kGrpcOverheadBytes = 512 * 1024;
constexpr std::size_t kSendHighWater = 1u << 20;
constexpr std::string_view kDenied =
    "rpc error: code = PermissionDenied desc = etcdserver: permission denied";
constexpr std::string_view kCompacted = "etcdserver: mvcc: required revision has been compacted";

// One client stream and its watches.
// Lives on: the watch executor; the StreamHandler callbacks only post.
class WatchSession final : public net::StreamHandler,
                           public std::enable_shared_from_this<WatchSession> {
 public:
  WatchSession(Context& context, const CallInfo& info, std::shared_ptr<StreamPort> port)
      : context_(context),
        permitted_(check_token(context, info).has_value()),
        port_(std::move(port)) {}

  void start() {
    queue_ =
        std::make_shared<mvcc::WatchQueue>([weak = weak_from_this(), &watches = context_.watches] {
          watches.post([weak] {
            if (const auto self = weak.lock()) self->drain();
          });
        });
    watches_ = context_.server.store().watch_stream(queue_);
    schedule_progress();
  }

  void on_message(SharedBytes message) override {
    post([message = std::move(message)](WatchSession& self) { self.receive(message.view()); });
  }
  void on_writable() override {
    post([](WatchSession& self) { self.drain(); });
  }
  void on_done(const Error&) override {
    post([](WatchSession& self) { self.close(); });
  }

 private:
  template <class Work>
  void post(Work work) {
    context_.watches.post([self = shared_from_this(), work = std::move(work)]() mutable {
      if (!self->closed_) work(*self);
    });
  }

  void receive(ByteView bytes) {
    const auto request = parse<WatchRequest>(bytes);
    switch (request.request_union_case()) {
      case WatchRequest::kCreateRequest:
        create(request.create_request());
        break;
      case WatchRequest::kCancelRequest:
        cancel(request.cancel_request().watch_id());
        break;
      case WatchRequest::kProgressRequest:
        report_progress_now();
        break;
      case WatchRequest::REQUEST_UNION_NOT_SET:
        break;
    }
    drain();
  }

  void create(const WatchCreateRequest& r) {
    if (!permitted_) return refuse(std::string(kDenied));
    if (r.start_revision() < 0 && context_.level() >= server::CompatLevel::k35) {
      return refuse(std::string(kCompacted));
    }
    mvcc::WatchRequest request{.key = r.key(),
                               .range_end = r.range_end(),
                               .start_revision = r.start_revision(),
                               .watch_id = r.watch_id(),
                               .prev_kv = r.prev_kv(),
                               .fragment = r.fragment(),
                               .progress_notify = r.progress_notify()};
    for (const int filter : r.filters()) {
      if (filter == WatchCreateRequest::NOPUT) request.no_put = true;
      if (filter == WatchCreateRequest::NODELETE) request.no_delete = true;
    }
    const std::int64_t id = watches_->create(request);
    if (id != kNoWatch && r.progress_notify()) progress_[id] = true;
  }

  // With no watch at all 3.4 answers, later releases don't.
  void report_progress_now() {
    if (watches_->size() > 0 || context_.level() == server::CompatLevel::k34) {
      watches_->request_progress();
    }
  }

  // A watch refused before the store sees it.
  void refuse(std::string reason) {
    mvcc::WatchResponse response;
    response.watch_id = kNoWatch;
    response.revision = context_.server.store().current_revision();
    response.created = true;
    response.canceled = true;
    response.cancel_reason = std::move(reason);
    queue_->offer(response, true);
  }

  void cancel(std::int64_t id) {
    if (watches_->cancel(id)) progress_.erase(id);
  }

  // Sends what waits, until the connection is full; then on_writable comes.
  void drain() {
    while (!closed_ && port_->queued_bytes() < kSendHighWater) {
      if (!sending_ && !next_response()) return;
      send_one();
    }
  }

  // Gets the oldest response ready to be sent to its watches.
  bool next_response() {
    sending_ = queue_->take();
    if (!sending_) return false;
    sent_ = 0;
    if (sending_->events.empty()) return true;
    if (sending_->prev_kv) watches_->fill_prev_kv(*sending_);
    events_ = encode_events(sending_->events);
    return true;
  }

  // Sends the response to the next of its watches.
  void send_one() {
    mvcc::WatchResponse& response = *sending_;
    if (sent_ > 0) response.watch_id = response.others[sent_ - 1];
    if (response.canceled) progress_.erase(response.watch_id);
    if (!response.events.empty() && !progress_.empty()) {
      const auto it = progress_.find(response.watch_id);
      if (it != progress_.end()) it->second = false;
    }
    const Header header = context_.header();
    const std::size_t limit = context_.server.config().max_request_bytes + kGrpcOverheadBytes;
    if (response.fragment && response.events.size() > 1 && watch_size(header, response) >= limit) {
      send_fragments(header, response, limit);
    } else {
      port_->send(encode_watch(header, response, response.watch_id, events_.view()));
    }
    if (++sent_ > response.others.size()) {
      sending_.reset();
      events_ = SharedBytes();
    }
  }

  // Pieces below `limit` bytes, each of one event at least; all but the last say `fragment`.
  void send_fragments(const Header& header, const mvcc::WatchResponse& response,
                      std::size_t limit) {
    mvcc::WatchResponse empty = response;
    empty.events = {};
    const std::size_t base = watch_size(header, empty) + 2;  // and the fragment flag
    std::size_t first = 0;
    while (first < response.events.size()) {
      std::size_t last = first + 1;
      std::size_t size = base + event_size(response.events[first]);
      while (last < response.events.size()) {
        size += event_size(response.events[last]);
        if (size >= limit) break;
        ++last;
      }
      const bool more = last < response.events.size();
      port_->send(encode_watch(header, response, first, last, more));
      first = last;
    }
  }

  // Every interval: watches that were quiet since the last one get an empty response.
  void schedule_progress() {
    const Duration interval = context_.options.watch_progress_interval;
    timer_ = context_.watches.post_at(context_.clock.now() + interval, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->report_progress();
    });
  }
  void report_progress() {
    if (closed_) return;
    for (auto& [id, quiet] : progress_) {
      if (quiet) watches_->request_progress(id);
      quiet = true;
    }
    drain();
    schedule_progress();
  }

  void close() {
    closed_ = true;
    context_.watches.cancel(timer_);
    watches_.reset();
  }

  Context& context_;
  const bool permitted_;
  std::shared_ptr<StreamPort> port_;
  std::shared_ptr<mvcc::WatchQueue> queue_;
  std::unique_ptr<mvcc::WatchStream> watches_;
  std::optional<mvcc::WatchResponse> sending_;  // taken, and not yet sent to all its watches
  SharedBytes events_;                          // its events
  std::size_t sent_ = 0;                        // how many of its watches have it
  std::map<std::int64_t, bool> progress_;  // watches with progress_notify: quiet since last time
  TimerId timer_ = TimerId::kNone;
  bool closed_ = false;
};

}  // namespace

void WatchService::register_methods(MethodTable& table) {
  table.add_stream("/etcdserverpb.Watch/Watch",
                   [this](const CallInfo& info, std::shared_ptr<StreamPort> port) {
                     auto session = std::make_shared<WatchSession>(context_, info, std::move(port));
                     session->start();
                     return session;
                   });
}

}  // namespace truss::api
