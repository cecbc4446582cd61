// How fast bodies go over loopback: `net-http-speed [MiB] [piece KiB]` measures an upload from
// HttpClient to Server, then a streamed answer on a port that holds little unsent, as a peer's.
// Prints wall time, rate and the CPU time of both ends together. Not a test.
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>

#include "truss/common/log.h"
#include "truss/net/http_client.h"
#include "truss/net/server.h"

namespace {

using namespace truss;       // NOLINT: one file
using namespace truss::net;  // NOLINT

class Repeat final : public HttpBodySource {
 public:
  Repeat(std::size_t total, std::size_t piece)
      : left_(total), piece_(SharedBytes::copy(std::string(piece, 'r'))) {}
  Result<Pull> pull(SharedBytes& piece) override {
    if (left_ < piece_.size()) return Pull::kEnd;
    left_ -= piece_.size();
    piece = piece_;
    return Pull::kPiece;
  }

 private:
  std::size_t left_;
  SharedBytes piece_;
};

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Waits for an end that another thread tells.
class Latch {
 public:
  void open(bool good) {
    const std::lock_guard lock(mutex_);
    state_ = good ? 1 : -1;
    opened_.notify_one();
  }
  bool wait() {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [&] { return state_ != 0; });
    return state_ > 0;
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  int state_ = 0;
};

/// A server and a client with a thread each.
struct Ends {
  explicit Ends(ServerOptions options = {}) : server(options, clock, logger) {}
  std::string start() {
    const auto bound = server.listen({"127.0.0.1:0"});
    if (!bound) std::abort();
    server.start();
    return "http://" + *bound + "/body";
  }
  SystemClock clock;
  NullLogger logger;
  IoThread thread{"client", clock};
  std::atomic<std::size_t> received{0};
  Latch done;
  Server server;
  HttpClient client{thread, clock};
};

bool report(const char* what, Ends& ends, std::size_t total) {
  const double cpu = cpu_seconds();
  const auto start = std::chrono::steady_clock::now();
  const bool good = ends.done.wait();
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  const auto bytes = static_cast<double>(ends.received.load());
  std::printf("%s: %.0f MiB in %.3f s: %.2f GB/s, %.3f s of CPU\n", what, bytes / (1 << 20),
              wall.count(), bytes / wall.count() / 1e9, cpu_seconds() - cpu);
  return good && ends.received == total;
}

bool upload(std::size_t total, std::size_t piece) {
  Ends ends;
  ends.server.add_http({.path = "/body",
                        .handler =
                            [&](HttpRequest, HttpReply reply) {
                              reply.on_body([&, reply](ByteView bytes, bool last) mutable {
                                ends.received += bytes.size();
                                if (last) reply.send(204, {}, "");
                              });
                            },
                        .stream_body = true});
  ends.client.upload({.method = "POST", .url = ends.start()},
                     std::make_shared<Repeat>(total, piece),
                     [&](Result<HttpResponse> got) { ends.done.open(got && got->status == 204); });
  return report("upload", ends, total);
}

class Count final : public HttpResponseHandler {
 public:
  explicit Count(Ends& ends) : ends_(ends) {}
  void on_head(HttpResponse) override {}
  void on_body(ByteView piece) override { ends_.received += piece.size(); }
  void on_end(Result<void> how) override { ends_.done.open(how.has_value()); }

 private:
  Ends& ends_;
};

/// Writes whenever less than `limit` waits.
struct Pour {
  void run() {
    while (left > 0) {
      left -= piece.size();
      if (reply.write(piece) > limit) return;
    }
    reply.end();
  }
  HttpReply reply;
  std::string piece;
  std::size_t left = 0;
  std::size_t limit = 0;
};

bool stream(std::size_t total, std::size_t piece) {
  constexpr std::size_t kUnsent = 64u << 10;
  Ends ends({.unsent_kernel_bytes = kUnsent / 2,
             .stream_high_water = kUnsent,
             .stream_low_water = kUnsent / 2});
  Pour pour{{}, std::string(piece, 's'), total, kUnsent};
  ends.server.add_http({.path = "/body", .handler = [&](HttpRequest, HttpReply reply) {
                          pour.reply = reply;
                          reply.begin(200, {});
                          reply.on_writable([&] { pour.run(); });
                          pour.run();
                        }});
  ends.client.open({.url = ends.start()}, std::make_shared<Count>(ends));
  return report("stream", ends, total);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t mebibytes = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1024;
  const std::size_t piece = (argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 256) << 10;
  const bool good = upload(mebibytes << 20, piece) && stream(mebibytes << 20, piece / 16);
  return good ? 0 : 1;
}
