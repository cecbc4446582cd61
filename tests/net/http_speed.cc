// How fast a body goes from HttpClient to Server over loopback: `net-http-speed [MiB] [piece KiB]`.
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

int measure(std::size_t total, std::size_t piece) {
  SystemClock clock;
  NullLogger logger;
  Server server({}, clock, logger);
  std::atomic<std::size_t> received{0};
  server.add_http({.path = "/body",
                   .handler =
                       [&](HttpRequest, HttpReply reply) {
                         reply.on_body([&, reply](ByteView bytes, bool last) mutable {
                           received += bytes.size();
                           if (last) reply.send(204, {}, "");
                         });
                       },
                   .stream_body = true});
  const auto bound = server.listen({"127.0.0.1:0"});
  if (!bound) return 3;
  server.start();
  IoThread thread("client", clock);
  HttpClient client(thread, clock);
  std::mutex mutex;
  std::condition_variable done;
  int status = 0;
  const double cpu = cpu_seconds();
  const auto start = std::chrono::steady_clock::now();
  client.upload({.method = "POST", .url = "http://" + *bound + "/body"},
                std::make_shared<Repeat>(total, piece), [&](Result<HttpResponse> got) {
                  const std::lock_guard lock(mutex);
                  status = got ? got->status : -1;
                  done.notify_one();
                });
  std::unique_lock lock(mutex);
  done.wait(lock, [&] { return status != 0; });
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  const auto bytes = static_cast<double>(received.load());
  std::printf("status %d, %.0f MiB in %.3f s: %.2f GB/s, %.3f s of CPU\n", status,
              bytes / (1 << 20), wall.count(), bytes / wall.count() / 1e9, cpu_seconds() - cpu);
  return status == 204 && received == total ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t mebibytes = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1024;
  const std::size_t piece = (argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 256) << 10;
  return measure(mebibytes << 20, piece);
}
