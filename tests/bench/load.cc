#include "load.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>

#include "open_load.h"
#include "requests.h"
#include "signal.h"
#include "truss/net/channel.h"
#include "wire.h"

namespace truss::bench {
namespace {

constexpr std::string_view kWatch = "/etcdserverpb.Watch/Watch";

/// Channels on one net thread, and the loop of clients on them.
///
/// Lives on: its net thread, but for construction and wait().
class Engine {
 public:
  Engine(const std::vector<std::string>& addresses, const LoadSpec& spec, LoadMarks* marks)
      : spec_(spec), marks_(marks), requests_(spec_), thread_("load", clock_) {
    const std::size_t count = std::max<std::size_t>(1, std::min(spec.connections, spec.clients));
    for (std::size_t i = 0; i < count; ++i) {
      channels_.push_back(
          std::make_unique<net::Channel>(thread_, clock_, addresses[i % addresses.size()]));
    }
    clients_.resize(spec.clients);
  }

  /// Runs the closed loop for warm-up and duration.
  LoadResult run() {
    thread_.post([this] {
      const MonoTime start = clock_.now();
      thread_.post_at(start + spec_.warm_up, [this] { begin(); });
      for (std::size_t i = 0; i < clients_.size(); ++i) issue(i);
    });
    ended_.wait();
    channels_.clear();
    return std::move(result_);
  }

  /// Issues `count` requests made by `make`, as many at a time as there are clients.
  LoadResult run_counted(std::size_t count, std::function<Request(std::size_t)> make) {
    counted_ = std::move(make);
    left_ = count;
    measuring_ = true;
    thread_.post([this] {
      for (std::size_t i = 0; i < clients_.size(); ++i) issue_counted(i);
    });
    ended_.wait();
    channels_.clear();
    return std::move(result_);
  }

  net::IoThread& thread() { return thread_; }
  Clock& clock() { return clock_; }
  bool measuring() const { return measuring_; }
  LoadResult& result() { return result_; }
  net::Channel& channel(std::size_t i) { return *channels_[i % channels_.size()]; }
  /// Answers of requests are not counted as operations: something else is.
  void count_elsewhere() { counting_ = false; }
  /// Puts the send time into each value.
  void stamp_values(std::function<SharedBytes()> make) { stamped_ = std::move(make); }

 private:
  struct Client {
    MonoTime started;
    std::size_t least_answer = 0;
  };

  void begin() {
    if (marks_ != nullptr) marks_->begin();
    measured_from_ = clock_.now();
    measuring_ = true;
    thread_.post_at(measured_from_ + spec_.duration, [this] { end(); });
  }

  void end() {
    result_.seconds = std::chrono::duration<double>(clock_.now() - measured_from_).count();
    measuring_ = false;
    over_ = true;
    if (marks_ != nullptr) marks_->end();
    ended_.set();
  }

  void issue(std::size_t index) {
    Request request = requests_.next();
    if (stamped_) request.message = stamped_();
    send(index, std::move(request));
  }

  void issue_counted(std::size_t index) {
    if (left_ == 0) return;
    send(index, counted_(--left_));
    ++running_;
  }

  void send(std::size_t index, Request request) {
    Client& client = clients_[index];
    client.started = clock_.now();
    client.least_answer = request.least_answer;
    channel(index).unary(request.path, std::move(request.message),
                         [this, index](Result<SharedBytes> answer) { take(index, answer); });
  }

  void take(std::size_t index, const Result<SharedBytes>& answer) {
    if (over_) return;
    const Client& client = clients_[index];
    const bool good = answer && answer->size() >= client.least_answer;
    if (!good) note_error(answer);
    if (measuring_ && good && counting_) {
      result_.add(client.started, clock_.now());
    }
    if (!counted_) return good || result_.errors < 1000 ? issue(index) : void();
    issue_counted(index);
    if (--running_ == 0) {
      over_ = true;
      ended_.set();
    }
  }

  void note_error(const Result<SharedBytes>& answer) {
    if (result_.errors++ > 0) return;
    result_.first_error =
        answer ? "answer of " + std::to_string(answer->size()) + " bytes" : answer.error().message;
  }

  SystemClock clock_;
  const LoadSpec spec_;
  LoadMarks* marks_;
  Requests requests_;
  net::IoThread thread_;
  std::vector<std::unique_ptr<net::Channel>> channels_;
  std::vector<Client> clients_;
  std::function<Request(std::size_t)> counted_;
  std::function<SharedBytes()> stamped_;
  std::size_t left_ = 0;
  std::size_t running_ = 0;
  LoadResult result_;
  MonoTime measured_from_;
  bool measuring_ = false;
  bool counting_ = true;
  bool over_ = false;
  Signal ended_;
};

/// One stream of watchers of the same key.
class WatchStream final : public net::ClientStreamHandler {
 public:
  WatchStream(Engine& engine, std::function<void()> created)
      : engine_(engine), created_(std::move(created)) {}

  void on_message(SharedBytes message) override {
    const WatchSummary summary = parse_watch_response(message.view());
    if (summary.created) created_();
    if (summary.events == 0 || !engine_.measuring()) return;
    engine_.result().operations += summary.events;
    std::int64_t sent = 0;
    if (summary.last_value.size() < sizeof(sent)) return;
    std::memcpy(&sent, summary.last_value.data(), sizeof(sent));
    engine_.result().latency.add(engine_.clock().now().time_since_epoch().count() - sent);
  }
  void on_done(const Error& status, const net::Metadata&) override {
    if (engine_.measuring() && engine_.result().errors++ == 0) {
      engine_.result().first_error = status.message;
    }
  }

 private:
  Engine& engine_;
  std::function<void()> created_;
};

LoadResult run_watch(const std::vector<std::string>& addresses, const LoadSpec& spec,
                     LoadMarks& marks) {
  Engine engine(addresses, spec, &marks);
  const std::string key = key_name(0);
  Signal ready;
  std::size_t waiting = spec.watchers;
  const auto created = [&] {
    if (--waiting == 0) ready.set();
  };
  std::vector<net::ClientStream> streams;
  for (std::size_t i = 0; i < spec.watch_streams; ++i) {
    streams.push_back(
        engine.channel(i).open(kWatch, std::make_shared<WatchStream>(engine, created)));
  }
  const SharedBytes create = watch_create_request(key);
  for (std::size_t i = 0; i < spec.watchers; ++i) streams[i % streams.size()].send(create);
  ready.wait();
  engine.count_elsewhere();
  engine.stamp_values([&engine, &key, value = std::string(64, 'w')]() mutable {
    const std::int64_t now = engine.clock().now().time_since_epoch().count();
    std::memcpy(value.data(), &now, sizeof(now));
    return put_request(key, value);
  });
  return engine.run();
}

}  // namespace

void LoadResult::add(MonoTime started, MonoTime ended) {
  ++operations;
  const Duration took = ended - started;
  latency.add(took.count());
  if (slowest.size() == kSlowest && took <= slowest.back().took) return;
  const auto slower = [](const TimedCall& a, const TimedCall& b) { return a.took > b.took; };
  const TimedCall call{started, took};
  slowest.insert(std::upper_bound(slowest.begin(), slowest.end(), call, slower), call);
  if (slowest.size() > kSlowest) slowest.pop_back();
}

const std::vector<std::string>& load_ops() {
  static const std::vector<std::string> ops = {"put",  "get-lin", "get-ser", "range100",
                                               "txn4", "mixed",   "watch",   "lease"};
  return ops;
}

bool needs_keys(const std::string& op) {
  return op == "get-lin" || op == "get-ser" || op == "range100" || op == "mixed";
}

Result<LoadResult> run_load(const std::vector<std::string>& addresses, const LoadSpec& spec,
                            LoadMarks& marks) {
  const auto& ops = load_ops();
  if (std::find(ops.begin(), ops.end(), spec.op) == ops.end()) {
    return fail(Code::kInvalidArgument, "no such op: " + spec.op);
  }
  if (spec.per_second > 0 && spec.op == "watch") {
    return fail(Code::kInvalidArgument, "watch has no open loop");
  }
  LoadResult result = spec.per_second > 0  ? run_open_load(addresses, spec, marks)
                      : spec.op == "watch" ? run_watch(addresses, spec, marks)
                                           : Engine(addresses, spec, &marks).run();
  if (result.operations == 0) {
    return fail(Code::kUnavailable, spec.op + ": nothing succeeded: " + result.first_error);
  }
  return result;
}

Result<void> fill_big(const std::string& address, std::size_t count, std::size_t value_bytes,
                      std::size_t per_transaction) {
  LoadSpec fill;
  fill.clients = 16;
  const std::string value(value_bytes, 'b');
  Engine engine({address}, fill, nullptr);
  const auto make = [&](std::size_t transaction) {
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < per_transaction; ++i) {
      keys.push_back("big/" + key_name(transaction * per_transaction + i));
    }
    return puts_in_one(keys, value);
  };
  const LoadResult result = engine.run_counted(count / per_transaction, make);
  if (result.errors == 0) return {};
  return fail(Code::kUnavailable, "filling: " + result.first_error);
}

Result<void> fill_keys(const std::string& address, const LoadSpec& spec) {
  LoadSpec fill = spec;
  fill.clients = 64;
  const std::string value(spec.value_bytes, 'v');
  Engine engine({address}, fill, nullptr);
  const LoadResult result =
      engine.run_counted(spec.key_space, [&](std::size_t i) { return put_of(key_name(i), value); });
  if (result.errors == 0) return {};
  return fail(Code::kUnavailable, "filling keys: " + result.first_error);
}

}  // namespace truss::bench
