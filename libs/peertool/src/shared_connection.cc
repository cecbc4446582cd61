#include "shared_connection.h"

#include <deque>
#include <future>
#include <memory>

#include "truss/common/coding.h"
#include "truss/net/http_client.h"
#include "truss/net/server.h"

namespace truss::peertool {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kHeaderBytes = 8;
constexpr std::size_t kHeartbeatBytes = 40;
constexpr std::size_t kPieceBytes = 256u << 10;
constexpr Duration kRest = 1s;

std::string header(std::uint64_t length) {
  std::string out(kHeaderBytes, '\0');
  store_be64(out.data(), length);
  return out;
}

/// Reads `u64 length | bytes`, keeps nothing, and notes when each heartbeat was whole.
/// Lives on: the receiving thread.
class Receiver final : public net::HttpResponseHandler {
 public:
  Receiver(Clock& clock, std::uint64_t gaps) : clock_(clock), wanted_(gaps) {}

  void on_head(net::HttpResponse) override {}
  void on_body(ByteView piece) override {
    const MonoTime now = clock_.now();
    while (!piece.empty()) {
      if (left_ == 0) {
        take_header(piece);
        continue;
      }
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, piece.size()));
      piece.remove_prefix(size);
      left_ -= size;
      if (left_ == 0 && heartbeat_) gaps_.arrived(now);
    }
    if (gaps_.count() >= wanted_) finish({});
  }
  void on_end(Result<> how) override {
    finish(how ? fail(Code::kUnavailable, "the shared connection ended") : std::move(how));
  }

  std::future<Result<>> done() { return done_.get_future(); }
  const GapMeter& gaps() const { return gaps_; }
  std::uint64_t seen() const { return seen_.load(); }

 private:
  void take_header(ByteView& piece) {
    const std::size_t size = std::min(kHeaderBytes - header_.size(), piece.size());
    header_.append(piece.substr(0, size));
    piece.remove_prefix(size);
    if (header_.size() < kHeaderBytes) return;
    left_ = load_be64(header_.data());
    heartbeat_ = left_ == kHeartbeatBytes;
    header_.clear();
    seen_.store(gaps_.count());
  }
  void finish(Result<> how) {
    if (!std::exchange(finished_, true)) done_.set_value(std::move(how));
  }

  Clock& clock_;
  const std::uint64_t wanted_;
  std::string header_;
  std::uint64_t left_ = 0;
  bool heartbeat_ = false;
  bool finished_ = false;
  GapMeter gaps_;
  std::atomic<std::uint64_t> seen_{0};
  std::promise<Result<>> done_;
};

/// Writes whole messages in the order they were queued.
/// Lives on: the sending thread.
class Sender : public std::enable_shared_from_this<Sender> {
 public:
  Sender(Executor& executor, Clock& clock, std::uint64_t snapshot_bytes, Duration interval)
      : executor_(executor),
        clock_(clock),
        snapshot_bytes_(snapshot_bytes),
        interval_(interval),
        filler_(SharedBytes::copy(std::string(kPieceBytes, 'x'))) {}

  void attach(net::HttpReply reply) {
    reply_ = std::move(reply);
    reply_.begin(200, {});
    reply_.on_writable([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->pump();
    });
    next_beat_ = clock_.now();
    beat();
    queue_snapshot();
  }
  void stop() { stopped_ = true; }

 private:
  void beat() {
    if (stopped_) return;
    queue_.push_back(kHeartbeatBytes);
    pump();
    next_beat_ += interval_;
    later(next_beat_, &Sender::beat);
  }
  void queue_snapshot() {
    if (stopped_) return;
    queue_.push_back(snapshot_bytes_);
    pump();
  }
  void later(MonoTime when, void (Sender::*what)()) {
    executor_.post_at(when, [weak = weak_from_this(), what] {
      if (const auto self = weak.lock()) ((*self).*what)();
    });
  }
  /// Fills the connection up to its mark; on_writable goes on.
  void pump() {
    std::size_t unsent = reply_.queued_bytes();
    while (!stopped_ && unsent <= (1u << 20)) {
      if (left_ == 0) {
        if (queue_.empty()) return;
        left_ = queue_.front();
        queue_.pop_front();
        bulky_ = left_ != kHeartbeatBytes;
        unsent = reply_.write(header(left_));
      }
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, kPieceBytes));
      unsent = reply_.write(filler_.view().substr(0, size));
      left_ -= size;
      if (reply_.closed()) return stop();
      if (left_ == 0 && bulky_) later(clock_.now() + kRest, &Sender::queue_snapshot);
    }
  }

  Executor& executor_;
  Clock& clock_;
  const std::uint64_t snapshot_bytes_;
  const Duration interval_;
  const SharedBytes filler_;
  net::HttpReply reply_;
  std::deque<std::uint64_t> queue_;  ///< lengths of the messages to come
  std::uint64_t left_ = 0;           ///< of the message being written
  bool bulky_ = false;
  bool stopped_ = false;
  MonoTime next_beat_;
};

}  // namespace

Result<GapMeter> measure_shared_connection(Runtime& runtime, std::uint64_t snapshot_bytes,
                                           Duration interval, std::uint64_t gaps,
                                           const std::function<bool(double done)>& go_on) {
  Clock& clock = runtime.clock();
  NullLogger logger;
  net::IoThread sending("one-conn-send", clock);
  net::IoThread receiving("one-conn-recv", clock);
  net::Server server({}, sending, clock, logger);
  const auto sender = std::make_shared<Sender>(sending, clock, snapshot_bytes, interval);
  server.add_http({.path = "/both", .handler = [sender](net::HttpRequest, net::HttpReply reply) {
                     sender->attach(std::move(reply));
                   }});
  TRUSS_ASSIGN(const std::string address,
               server.listen({"127.0.0.1:0", net::Protocols::kHttpOnly}));
  server.start();
  const auto receiver = std::make_shared<Receiver>(clock, gaps);
  auto done = receiver->done();
  auto client = std::make_unique<net::HttpClient>(receiving, clock);
  client->open({.url = "http://" + address + "/both"}, receiver);
  while (done.wait_for(200ms) != std::future_status::ready) {
    const double share = static_cast<double>(receiver->seen()) / static_cast<double>(gaps);
    if (go_on && !go_on(share)) break;
  }
  client.reset();
  sending.post([sender] { sender->stop(); });
  server.stop();
  sending.stop();
  receiving.stop();
  if (receiver->gaps().count() == 0)
    return fail(Code::kUnavailable, "no heartbeats on one connection");
  return receiver->gaps();
}

}  // namespace truss::peertool
