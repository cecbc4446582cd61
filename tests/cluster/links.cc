#include "links.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "socket_owner.h"
#include "truss/common/check.h"

namespace truss::cluster {
namespace {

constexpr std::size_t kMostBuffered = 1 << 20;
constexpr std::size_t kPiece = 256 << 10;

sockaddr_in loopback(int port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  out.sin_port = htons(static_cast<std::uint16_t>(port));
  return out;
}

int listen_on(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int yes = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  sockaddr_in address = loopback(port);
  TRUSS_CHECK(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  TRUSS_CHECK(::listen(fd, 128) == 0);
  return fd;
}

/// A connection to a loopback port, which the kernel makes or refuses at once; -1 if refused.
int dial(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(port);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    ::close(fd);
    return -1;
  }
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

void no_delay(int fd) {
  const int yes = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
}

}  // namespace

Links::Links(std::vector<Ports> ports)
    : ports_(std::move(ports)), pids_(ports_.size(), -1), cuts_(ports_.size() * ports_.size()) {
  for (const Ports& p : ports_) listeners_.push_back(listen_on(p.dialled));
  TRUSS_CHECK(::pipe2(wake_fds_, O_CLOEXEC | O_NONBLOCK) == 0);
  thread_ = std::thread([this] { run(); });
}

Links::~Links() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake();
  thread_.join();
  for (Connection& connection : connections_) connection.dead = true;
  drop_dead();
  for (const int fd : listeners_) ::close(fd);
  ::close(wake_fds_[0]);
  ::close(wake_fds_[1]);
}

void Links::wake() {
  if (::write(wake_fds_[1], "w", 1) < 0) return;  // full: it wakes anyway
}

void Links::set_pid(std::size_t index, pid_t pid) {
  const std::lock_guard lock(mutex_);
  pids_[index] = pid;
}

void Links::cut(std::size_t from, std::size_t to, Cut cut) {
  {
    const std::lock_guard lock(mutex_);
    cuts_[from * ports_.size() + to] = cut;
    for (Connection& connection : connections_) {
      for (Pipe& pipe : connection.pipes) {
        if (cut == Cut::kHalfClose && cut_of(pipe) == cut) half_close(connection, pipe);
      }
    }
  }
  wake();
}

void Links::heal() {
  {
    const std::lock_guard lock(mutex_);
    cuts_.assign(cuts_.size(), Cut::kOpen);
    for (Connection& connection : connections_) connection.dead |= connection.spoiled;
    drop_dead();
    ++healed_;
  }
  wake();
}

std::size_t Links::attributed() {
  const std::lock_guard lock(mutex_);
  std::size_t out = 0;
  for (const Connection& connection : connections_) out += connection.pipes[0].from != kNobody;
  return out;
}

void Links::set_tap(Tap tap, void* context) {
  const std::lock_guard lock(mutex_);
  tap_ = tap;
  tap_context_ = context;
}

Cut Links::cut_of(const Pipe& pipe) const {
  if (pipe.from == kNobody) return Cut::kOpen;
  return cuts_[pipe.from * ports_.size() + pipe.to];
}

std::size_t Links::dialler_of(int fd) {
  sockaddr_in peer{};
  socklen_t size = sizeof(peer);
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return kNobody;
  const std::uint64_t inode = inode_of_local_port(ntohs(peer.sin_port));
  for (std::size_t i = 0; inode != 0 && i < pids_.size(); ++i) {
    if (pids_[i] > 0 && owns_socket(pids_[i], inode)) return i;
  }
  return kNobody;
}

void Links::accept_on(std::size_t index) {
  const int fd = ::accept4(listeners_[index], nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  const int target = dial(ports_[index].listens);
  if (target < 0) {
    ::close(fd);
    return;
  }
  no_delay(fd);
  no_delay(target);
  const std::size_t dialler = dialler_of(fd);
  const std::size_t acceptor = dialler == kNobody ? kNobody : index;
  Connection& made = connections_.emplace_back();
  made.number = ++accepted_;
  made.pipes[0] = {fd, target, dialler, acceptor, true, {}, false, false};
  made.pipes[1] = {target, fd, acceptor, dialler, false, {}, false, false};
}

void Links::half_close(Connection& connection, Pipe& pipe) {
  ::shutdown(pipe.to_fd, SHUT_WR);
  pipe.buffer.clear();
  pipe.end_passed = true;
  connection.spoiled = true;
}

void Links::read_some(Connection& connection, Pipe& pipe) {
  thread_local std::string piece;
  piece.resize(kPiece);
  const ssize_t size = ::recv(pipe.from_fd, piece.data(), piece.size(), 0);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) {
    pipe.ended = true;
    if (size < 0) connection.dead = true;
    return;
  }
  piece.resize(static_cast<std::size_t>(size));
  const Cut cut = cut_of(pipe);
  if (cut == Cut::kSwallow || cut == Cut::kHalfClose || pipe.end_passed) {
    connection.spoiled = true;
    return;
  }
  if (tap_ != nullptr) {
    tap_(tap_context_, {pipe.from, pipe.to, connection.number, pipe.dialled,
                        std::chrono::steady_clock::now(), &piece});
  }
  pipe.buffer += piece;
}

void Links::write_some(Connection& connection, Pipe& pipe) {
  const ssize_t size = ::send(pipe.to_fd, pipe.buffer.data(), pipe.buffer.size(), MSG_NOSIGNAL);
  if (size < 0 && errno != EAGAIN && errno != EINTR) connection.dead = true;
  if (size > 0) pipe.buffer.erase(0, static_cast<std::size_t>(size));
}

void Links::pump(Connection& connection, Pipe& pipe) {
  if (cut_of(pipe) == Cut::kHold) return;
  if (!pipe.ended && pipe.buffer.size() < kMostBuffered) read_some(connection, pipe);
  if (!pipe.buffer.empty()) write_some(connection, pipe);
  if (!pipe.ended || !pipe.buffer.empty() || pipe.end_passed) return;
  // a swallowed end of stream must not arrive either
  if (cut_of(pipe) != Cut::kOpen) return;
  ::shutdown(pipe.to_fd, SHUT_WR);
  pipe.end_passed = true;
}

void Links::drop_dead() {
  connections_.remove_if([](const Connection& connection) {
    const bool over = connection.pipes[0].end_passed && connection.pipes[0].ended &&
                      connection.pipes[1].end_passed && connection.pipes[1].ended;
    if (!connection.dead && !over) return false;
    ::close(connection.pipes[0].from_fd);
    ::close(connection.pipes[0].to_fd);
    return true;
  });
}

void Links::run() {
  std::vector<pollfd> polled;
  std::vector<std::pair<Connection*, Pipe*>> owners;
  for (;;) {
    polled.assign(1, {wake_fds_[0], POLLIN, 0});
    for (const int fd : listeners_) polled.push_back({fd, POLLIN, 0});
    const std::size_t fixed = polled.size();
    std::uint64_t healed_before = 0;
    owners.clear();
    {
      const std::lock_guard lock(mutex_);
      if (ending_) return;
      healed_before = healed_;
      for (Connection& connection : connections_) {
        for (Pipe& pipe : connection.pipes) {
          if (cut_of(pipe) == Cut::kHold) continue;
          if (!pipe.ended && pipe.buffer.size() < kMostBuffered) {
            polled.push_back({pipe.from_fd, POLLIN, 0});
            owners.emplace_back(&connection, &pipe);
          }
          if (!pipe.buffer.empty()) {
            polled.push_back({pipe.to_fd, POLLOUT, 0});
            owners.emplace_back(&connection, &pipe);
          }
        }
      }
    }
    ::poll(polled.data(), polled.size(), -1);
    const std::lock_guard lock(mutex_);
    char bytes[64];
    // heal() may have dropped connections that were polled
    if (polled[0].revents != 0 || healed_before != healed_) {
      while (::read(wake_fds_[0], bytes, sizeof(bytes)) > 0) {
      }
      // what was cut or healed decides anew; pending ends of streams pass now
      for (Connection& connection : connections_) {
        for (Pipe& pipe : connection.pipes) pump(connection, pipe);
      }
      drop_dead();
      continue;
    }
    for (std::size_t i = 0; i < owners.size(); ++i) {
      if (polled[fixed + i].revents != 0) pump(*owners[i].first, *owners[i].second);
    }
    for (std::size_t i = 0; i < listeners_.size(); ++i) {
      if (polled[1 + i].revents != 0) accept_on(i);
    }
    drop_dead();
  }
}

}  // namespace truss::cluster
