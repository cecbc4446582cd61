// truss_floor: the least that a durable put can cost on a machine. A server of epoll, framed
// requests of 300 bytes, one append and one fdatasync for all that one poll brought, and answers of
// 30 bytes: no consensus, no tree, no HTTP/2. It and its closed-loop client run in two processes.
//   truss_floor FOLDER CONNECTIONS DEPTH [SECONDS [nosync]]
// prints one JSON object.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "truss/measure/histogram.h"

namespace {

constexpr std::size_t kRequestBytes = 300;
constexpr std::size_t kAnswerBytes = 30;
constexpr std::size_t kReadBytes = 64 << 10;
constexpr int kMostEvents = 256;
constexpr double kWarmUpSeconds = 0.3;
constexpr double kNever = 1e18;

/// What the server counts, in memory that both processes share.
struct Counters {
  std::atomic<std::uint64_t> syncs;
};

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(3);
}

double seconds_of(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void watch(int poll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (::epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
}

void send_all(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t sent = ::send(fd, data, size, MSG_NOSIGNAL);
    if (sent <= 0) return;  // the peer is gone: its next read tells
    data += sent;
    size -= static_cast<std::size_t>(sent);
  }
}

class Server {
 public:
  Server(int listener, int file, bool sync, Counters& counters)
      : listener_(listener), file_(file), sync_(sync), counters_(counters) {
    watch(poll_, listener_);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, kMostEvents> events;
    for (;;) {
      const int count = ::epoll_wait(poll_, events.data(), kMostEvents, -1);
      for (int i = 0; i < count; ++i) take(events[static_cast<std::size_t>(i)].data.fd);
      finish_round();
    }
  }

 private:
  struct Answer {
    int fd;
    std::size_t requests;
  };

  void take(int fd) {
    if (fd == listener_) {
      const int accepted = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      const int on = 1;
      ::setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      if (static_cast<std::size_t>(accepted) >= partial_.size())
        partial_.resize(static_cast<std::size_t>(accepted) + 1);
      return watch(poll_, accepted);
    }
    const ssize_t got = ::recv(fd, buffer_.data(), buffer_.size(), 0);
    if (got <= 0) {
      ::close(fd);
      return;
    }
    std::string& rest = partial_[static_cast<std::size_t>(fd)];
    rest.append(buffer_.data(), static_cast<std::size_t>(got));
    const std::size_t whole = rest.size() / kRequestBytes;
    if (whole == 0) return;
    log_.append(rest, 0, whole * kRequestBytes);
    rest.erase(0, whole * kRequestBytes);
    answers_.push_back({fd, whole});
  }

  void finish_round() {
    if (answers_.empty()) return;
    if (::write(file_, log_.data(), log_.size()) != static_cast<ssize_t>(log_.size())) die("write");
    if (sync_) {
      if (::fdatasync(file_) != 0) die("fdatasync");
      counters_.syncs.fetch_add(1, std::memory_order_relaxed);
    }
    for (const Answer& answer : answers_) {
      out_.assign(answer.requests * kAnswerBytes, 'a');
      send_all(answer.fd, out_.data(), out_.size());
    }
    answers_.clear();
    log_.clear();
  }

  const int poll_ = ::epoll_create1(EPOLL_CLOEXEC);
  const int listener_;
  const int file_;
  const bool sync_;
  Counters& counters_;
  std::vector<char> buffer_ = std::vector<char>(kReadBytes);
  std::vector<std::string> partial_;
  std::vector<Answer> answers_;
  std::string log_;
  std::string out_;
};

/// `depth` requests under way on each connection at any time.
class Client {
 public:
  Client(int port, std::size_t connections, std::size_t depth) {
    const std::string requests(depth * kRequestBytes, 'r');
    for (std::size_t i = 0; i < connections; ++i) {
      const int fd = connect_to(port);
      watch(poll_, fd);
      if (static_cast<std::size_t>(fd) >= lines_.size())
        lines_.resize(static_cast<std::size_t>(fd) + 1);
      lines_[static_cast<std::size_t>(fd)].sent.assign(depth, seconds_of(CLOCK_MONOTONIC));
      send_all(fd, requests.data(), requests.size());
    }
  }

  /// Runs until `end`; what is answered after `from` counts.
  void run(double from, double end) {
    std::array<epoll_event, kMostEvents> events;
    for (double now = 0; now < end;) {
      const int count = ::epoll_wait(poll_, events.data(), kMostEvents, 100);
      now = seconds_of(CLOCK_MONOTONIC);
      for (int i = 0; i < count; ++i) take(events[static_cast<std::size_t>(i)].data.fd, now, from);
    }
  }

  const truss::measure::Histogram& latency() const { return latency_; }

 private:
  struct Line {
    std::deque<double> sent;
    std::size_t bytes = 0;  ///< of an answer not whole yet
  };

  static int connect_to(int port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) die("connect");
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
  }

  void take(int fd, double now, double from) {
    const ssize_t got = ::recv(fd, buffer_.data(), buffer_.size(), 0);
    if (got <= 0) die("the server has gone");
    Line& line = lines_[static_cast<std::size_t>(fd)];
    line.bytes += static_cast<std::size_t>(got);
    const std::size_t answers = line.bytes / kAnswerBytes;
    line.bytes %= kAnswerBytes;
    for (std::size_t i = 0; i < answers; ++i) {
      if (now >= from) latency_.add(static_cast<std::int64_t>((now - line.sent.front()) * 1e9));
      line.sent.pop_front();
      line.sent.push_back(now);
    }
    out_.assign(answers * kRequestBytes, 'r');
    send_all(fd, out_.data(), out_.size());
  }

  const int poll_ = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<Line> lines_;
  std::vector<char> buffer_ = std::vector<char>(kReadBytes);
  std::string out_;
  truss::measure::Histogram latency_;
};

int listen_somewhere(int& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  if (::bind(fd, reinterpret_cast<sockaddr*>(&at), size) != 0 || ::listen(fd, 1024) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) != 0) {
    die("listen");
  }
  port = ntohs(at.sin_port);
  return fd;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fputs("usage: truss_floor FOLDER CONNECTIONS DEPTH [SECONDS [nosync]]\n", stderr);
    return 2;
  }
  const std::size_t connections = std::strtoull(argv[2], nullptr, 10);
  const std::size_t depth = std::strtoull(argv[3], nullptr, 10);
  const double seconds = argc > 4 ? std::strtod(argv[4], nullptr) : 2.5;
  const bool sync = argc < 6;
  const std::string path = std::string(argv[1]) + "/floor.log";
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) die(path.c_str());
  int port = 0;
  const int listener = listen_somewhere(port);
  void* shared =
      ::mmap(nullptr, sizeof(Counters), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) die("mmap");
  auto& counters = *new (shared) Counters{};

  const pid_t server = ::fork();
  if (server == 0) Server(listener, file, sync, counters).run();
  clockid_t server_clock{};
  if (server < 0 || ::clock_getcpuclockid(server, &server_clock) != 0) die("fork");
  Client client(port, connections, depth);
  client.run(kNever, seconds_of(CLOCK_MONOTONIC) + kWarmUpSeconds);
  const double server_cpu = seconds_of(server_clock);
  const double own_cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  const std::uint64_t syncs = counters.syncs;
  const double from = seconds_of(CLOCK_MONOTONIC);
  client.run(from, from + seconds);
  const auto operations = static_cast<double>(client.latency().count());
  std::printf(
      "{\"connections\": %zu, \"depth\": %zu, \"ops_per_second\": %.0f, \"p50_ms\": %.4f, "
      "\"p99_ms\": %.4f, \"server_cpu_us\": %.3f, \"generator_cpu_us\": %.3f, \"syncs\": %.4f}\n",
      connections, depth, operations / (seconds_of(CLOCK_MONOTONIC) - from),
      client.latency().quantile(0.5) / 1e6, client.latency().quantile(0.99) / 1e6,
      (seconds_of(server_clock) - server_cpu) / operations * 1e6,
      (seconds_of(CLOCK_PROCESS_CPUTIME_ID) - own_cpu) / operations * 1e6,
      static_cast<double>(counters.syncs - syncs) / operations);
  ::kill(server, SIGKILL);
  ::waitpid(server, nullptr, 0);
  ::unlink(path.c_str());
  return 0;
}
