#include "listener.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

namespace truss::net {
namespace {

constexpr int kBacklog = 4096;
constexpr int kAcceptsPerTurn = 64;
constexpr auto kPauseWithoutDescriptors = std::chrono::milliseconds(100);

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

/// Go's lower-case text of an errno.
std::string go_error(int error) {
  std::string text = std::strerror(error);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] + 32);
  return text;
}

Result<SocketAddress> unix_address(const std::string& path) {
  SocketAddress out;
  sockaddr_un address{};
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return fail(Code::kInvalidArgument, "unix socket path of " + std::to_string(path.size()) +
                                            " bytes, must be 1 to 107: " + path);
  }
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  std::memcpy(&out.storage, &address, sizeof(address));
  out.size = sizeof(address);
  return out;
}

Result<SocketAddress> tcp_address(const std::string& text, bool passive) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) {
    return fail(Code::kInvalidArgument, "address " + text + ": missing port in address");
  }
  std::string host = text.substr(0, colon);
  const std::string port = text.substr(colon + 1);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    return fail(Code::kInvalidArgument, "address " + text + ": too many colons in address");
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (passive ? AI_PASSIVE : 0);
  if (host.empty() && passive) hints.ai_family = AF_INET6;
  addrinfo* found = nullptr;
  const char* node = host.empty() ? (passive ? nullptr : "localhost") : host.c_str();
  const int error = ::getaddrinfo(node, port.c_str(), &hints, &found);
  if (error != 0) {
    return fail(Code::kInvalidArgument, "address " + text + ": " + ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
  SocketAddress out;
  std::memcpy(&out.storage, found->ai_addr, found->ai_addrlen);
  out.size = found->ai_addrlen;
  return out;
}

bool is_unix(const std::string& address) { return address.starts_with("unix:"); }

Result<SocketAddress> parse_address(const std::string& address, bool passive) {
  if (!is_unix(address)) return tcp_address(address, passive);
  return unix_address(address.substr(5));
}

std::string address_text(const SocketAddress& address) {
  if (address.storage.ss_family == AF_UNIX) return "@";
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (::getnameinfo(address.get(), address.size, host.data(), host.size(), port.data(), port.size(),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "?";
  }
  const bool v6 = address.storage.ss_family == AF_INET6;
  const std::string name = host.data();
  constexpr std::string_view kMapped = "::ffff:";
  if (v6 && name.starts_with(kMapped)) return name.substr(kMapped.size()) + ":" + port.data();
  return v6 ? "[" + name + "]:" + port.data() : name + ":" + port.data();
}

Unexpected listen_failure(const std::string& address, const char* call, int error) {
  const char* network = is_unix(address) ? "unix" : "tcp";
  return fail(
      Code::kUnavailable,
      std::string("listen ") + network + " " + address + ": " + call + ": " + go_error(error),
      error);
}

Result<void> bind_socket(int fd, const SocketAddress& where, const std::string& address) {
  const int on = 1;
  const int off = 0;
  if (where.storage.ss_family != AF_UNIX) {
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  }
  if (where.storage.ss_family == AF_INET6) {
    ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  }
  if (::bind(fd, where.get(), where.size) != 0) return listen_failure(address, "bind", errno);
  if (::listen(fd, kBacklog) != 0) return listen_failure(address, "listen", errno);
  return {};
}

}  // namespace

Result<BoundSocket> bind_and_listen(const std::string& address) {
  TRUSS_ASSIGN(const SocketAddress where, parse_address(address, true));
  const int fd = ::socket(where.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return listen_failure(address, "socket", errno);
  if (auto bound = bind_socket(fd, where, address); !bound) {
    ::close(fd);
    return tl::unexpected(std::move(bound).error());
  }
  if (is_unix(address)) return BoundSocket{fd, address};
  SocketAddress real;
  real.size = sizeof(real.storage);
  ::getsockname(fd, real.get(), &real.size);
  return BoundSocket{fd, address_text(real)};
}

Result<int> start_connect(const std::string& address) {
  TRUSS_ASSIGN(const SocketAddress where, parse_address(address, false));
  const int fd = ::socket(where.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail_errno("socket", errno);
  if (::connect(fd, where.get(), where.size) != 0 && errno != EINPROGRESS) {
    const int error = errno;
    ::close(fd);
    return fail(Code::kUnavailable, "dial " + address + ": connect: " + go_error(error), error);
  }
  tune_socket(fd);
  return fd;
}

std::string peer_name(int fd) {
  SocketAddress peer;
  peer.size = sizeof(peer.storage);
  if (::getpeername(fd, peer.get(), &peer.size) != 0) return "?";
  return address_text(peer);
}

void tune_socket(int fd, Duration keepalive) {
  const int on = 1;
  const auto seconds = static_cast<int>(std::max<std::int64_t>(
      1, std::chrono::duration_cast<std::chrono::seconds>(keepalive).count()));
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof(seconds));
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof(seconds));
}

void limit_unsent(int fd, std::size_t bytes) {
  const int limit = static_cast<int>(std::min<std::size_t>(bytes, 1u << 30));
  ::setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &limit, sizeof(limit));
}

Listener::Listener(IoThread::Impl& thread, int fd, Logger& logger,
                   std::function<void(int fd)> accepted)
    : thread_(thread),
      descriptor_(thread.context(), fd),
      logger_(logger),
      accepted_(std::move(accepted)) {}

void Listener::start() { wait(); }

void Listener::wait() {
  if (closed_) return;
  descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                         [self = shared_from_this()](const std::error_code& error) {
                           self->thread_.turn([&] {
                             if (!error && !self->closed_) self->accept_some();
                           });
                         });
}

void Listener::accept_some() {
  for (int i = 0; i < kAcceptsPerTurn && !closed_; ++i) {
    const int fd =
        ::accept4(descriptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      tune_socket(fd);
      accepted_(fd);
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) break;
    const std::string why = go_error(errno);
    logger_.warn("accept failed; waiting before the next try", {{"error", std::string_view(why)}});
    thread_.post_at(thread_.clock().now() + kPauseWithoutDescriptors,
                    [self = shared_from_this()] { self->wait(); });
    return;
  }
  wait();
}

void Listener::close() {
  if (std::exchange(closed_, true)) return;
  std::error_code ignored;
  descriptor_.close(ignored);
}

}  // namespace truss::net
