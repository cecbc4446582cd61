#include "delay_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <deque>

namespace truss::peertool::testing {
namespace {

constexpr Duration kLongestWait = std::chrono::milliseconds(20);

sockaddr_in loopback(int port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  out.sin_port = htons(static_cast<std::uint16_t>(port));
  return out;
}

void no_delay(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

MonoTime now() { return SystemClock().now(); }

}  // namespace

/// One direction of a connection.
struct DelayProxy::Pipe {
  struct Piece {
    MonoTime due;
    std::string bytes;
  };
  int from = -1;
  int to = -1;
  std::deque<Piece> pieces;
  bool ended = false;
  bool end_passed = false;
};

DelayProxy::DelayProxy(const std::string& url, Duration delay)
    : target_port_(std::atoi(url.c_str() + url.rfind(':') + 1)),
      delay_(delay),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof(address);
  ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
  ::listen(listener_, 64);
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  thread_ = std::thread([this] { run(); });
}

DelayProxy::~DelayProxy() {
  ending_ = true;
  thread_.join();
  ::close(listener_);
  // Both pipes of a connection name the same two descriptors.
  for (std::size_t i = 0; i < pipes_.size(); i += 2) {
    ::close(pipes_[i]->from);
    ::close(pipes_[i]->to);
  }
}

void DelayProxy::freeze(Duration length) {
  frozen_until_ns_ = (now() + length).time_since_epoch().count();
}

void DelayProxy::accept() {
  const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(target_port_);
  if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    ::close(client);
    ::close(server);
    return;
  }
  no_delay(client);
  no_delay(server);
  for (const auto& [from, to] : {std::pair(client, server), std::pair(server, client)}) {
    auto pipe = std::make_unique<Pipe>();
    pipe->from = from;
    pipe->to = to;
    pipes_.push_back(std::move(pipe));
  }
}

void DelayProxy::pump(Pipe& pipe, MonoTime at) {
  while (!pipe.pieces.empty() && pipe.pieces.front().due <= at) {
    std::string& bytes = pipe.pieces.front().bytes;
    const ssize_t sent = ::send(pipe.to, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EAGAIN) return;
    if (sent < 0) {
      pipe.pieces.clear();
      pipe.ended = true;
      break;
    }
    bytes.erase(0, static_cast<std::size_t>(sent));
    if (!bytes.empty()) return;
    pipe.pieces.pop_front();
  }
  if (pipe.ended && pipe.pieces.empty() && !pipe.end_passed) {
    pipe.end_passed = true;
    ::shutdown(pipe.to, SHUT_WR);
  }
}

void DelayProxy::run() {
  std::vector<char> buffer(256u << 10);
  while (!ending_) {
    const MonoTime frozen(Duration(frozen_until_ns_.load()));
    MonoTime wake = now() + kLongestWait;
    std::vector<pollfd> waits = {{listener_, POLLIN, 0}};
    for (const auto& pipe : pipes_) {
      waits.push_back({pipe->ended ? -1 : pipe->from, POLLIN, 0});
      if (!pipe->pieces.empty()) wake = std::min(wake, std::max(pipe->pieces.front().due, frozen));
    }
    const Duration left = std::max(wake - now(), Duration(0));
    const timespec timeout{left.count() / 1'000'000'000, left.count() % 1'000'000'000};
    ::ppoll(waits.data(), waits.size(), &timeout, nullptr);
    const std::size_t known = pipes_.size();
    for (std::size_t i = 0; i < known; ++i) {
      if (waits[i + 1].revents == 0) continue;
      const ssize_t got = ::recv(pipes_[i]->from, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got > 0) {
        const int every = stall_every_;
        const bool stalls = every > 0 && ++pieces_seen_ % every == 0;
        const Duration held = delay_ + Duration(stalls ? stall_ns_.load() : 0);
        pipes_[i]->pieces.push_back({now() + held, {buffer.data(), static_cast<std::size_t>(got)}});
      } else if (got == 0 || errno != EAGAIN) {
        pipes_[i]->ended = true;
      }
    }
    if (waits[0].revents != 0) accept();
    const MonoTime at = now();
    if (at < frozen) continue;
    for (const auto& pipe : pipes_) pump(*pipe, at);
  }
}

}  // namespace truss::peertool::testing
