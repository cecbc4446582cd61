#include "open_load.h"

#include <algorithm>
#include <memory>
#include <thread>

#include "requests.h"
#include "signal.h"
#include "truss/measure/open_loop.h"
#include "truss/net/channel.h"

namespace truss::bench {
namespace {

constexpr std::string_view kSnapshot = "/etcdserverpb.Maintenance/Snapshot";

measure::OpenLoopSpec loop_spec(const LoadSpec& spec) {
  measure::OpenLoopSpec out;
  out.per_second = spec.per_second;
  out.warm_up = spec.warm_up;
  out.duration = spec.duration;
  out.arrivals = measure::Arrivals::kPoisson;
  out.seed = spec.seed;
  return out;
}

/// Lives on: its net thread, but for construction and run().
class OpenEngine {
 public:
  OpenEngine(const std::vector<std::string>& addresses, const LoadSpec& spec)
      : spec_(spec), requests_(spec), thread_("load", clock_) {
    for (std::size_t i = 0; i < std::max<std::size_t>(1, spec.connections); ++i) {
      channels_.push_back(
          std::make_unique<net::Channel>(thread_, clock_, addresses[i % addresses.size()]));
    }
    loop_ = std::make_shared<measure::OpenLoop>(
        thread_, clock_, loop_spec(spec), [this](std::uint64_t index) { start(index); },
        [this] { ended_.set(); });
  }

  LoadResult run(LoadMarks& marks) {
    const auto begun = std::chrono::steady_clock::now();
    loop_->begin();
    std::this_thread::sleep_until(begun + spec_.warm_up);
    marks.begin();
    std::this_thread::sleep_until(begun + spec_.warm_up + spec_.duration);
    marks.end();
    ended_.wait();
    channels_.clear();
    return result();
  }

 private:
  void start(std::uint64_t index) {
    Request request = requests_.next();
    channels_[index % channels_.size()]->unary(
        request.path, std::move(request.message),
        [this, index, least = request.least_answer](Result<SharedBytes> answer) {
          if (answer && answer->size() >= least) return loop_->finish(index, clock_.now());
          if (!answer && first_error_.empty()) first_error_ = answer.error().message;
          loop_->fail(index);
        });
  }

  LoadResult result() const {
    const measure::OpenLoopResult& from = loop_->result();
    LoadResult out;
    out.operations = from.answered;
    out.errors = from.failed + from.unfinished;
    out.first_error = first_error_;
    out.seconds = from.seconds;
    out.latency = from.latency();
    return out;
  }

  SystemClock clock_;
  const LoadSpec spec_;
  Requests requests_;
  net::IoThread thread_;
  std::vector<std::unique_ptr<net::Channel>> channels_;
  std::shared_ptr<measure::OpenLoop> loop_;
  std::string first_error_;
  Signal ended_;
};

/// One Snapshot call; its messages are counted and dropped.
class SnapshotReceiver final : public net::ClientStreamHandler {
 public:
  void on_message(SharedBytes message) override { bytes_ += message.size(); }
  void on_done(const Error& status, const net::Metadata&) override {
    status_ = status;
    done_.set();
  }
  Result<std::uint64_t> wait() {
    done_.wait();
    if (status_.code != Code::kOk) return tl::unexpected(status_);
    return bytes_;
  }

 private:
  std::uint64_t bytes_ = 0;
  Error status_;
  Signal done_;
};

}  // namespace

LoadResult run_open_load(const std::vector<std::string>& addresses, const LoadSpec& spec,
                         LoadMarks& marks) {
  return OpenEngine(addresses, spec).run(marks);
}

Result<SnapshotStreams> stream_snapshots(const std::string& address, std::size_t times) {
  SystemClock clock;
  net::IoThread thread("load", clock);
  net::Channel channel(thread, clock, address);
  SnapshotStreams out;
  const MonoTime start = clock.now();
  for (std::size_t i = 0; i < times; ++i) {
    const auto receiver = std::make_shared<SnapshotReceiver>();
    net::ClientStream stream = channel.open(kSnapshot, receiver);
    stream.send(SharedBytes::copy(""));
    stream.half_close();
    TRUSS_ASSIGN(const std::uint64_t bytes, receiver->wait());
    out.bytes += bytes;
  }
  out.seconds = std::chrono::duration<double>(clock.now() - start).count();
  return out;
}

}  // namespace truss::bench
