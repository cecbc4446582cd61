#pragma once

#include <asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <string>

#include "io_thread_impl.h"
#include "truss/common/error.h"
#include "truss/common/log.h"

namespace truss::net {

/// A bound, listening, non-blocking socket.
struct BoundSocket {
  int fd = -1;
  std::string address;  ///< with the real port
};

/// Binds and listens. Errors: see Server::listen.
Result<BoundSocket> bind_and_listen(const std::string& address);

/// Connects without blocking; the socket turns writable when connected.
/// Errors: kInvalidArgument (address), kUnavailable (resource).
Result<int> start_connect(const std::string& address);

/// `127.0.0.1:40112`, `[::1]:40112`, `@` for a unix peer.
std::string peer_name(int fd);

/// No delay, and probes by the kernel after `keepalive` of silence, as etcd's ends have it.
void tune_socket(int fd, Duration keepalive = std::chrono::seconds(30));

/// Lets the kernel hold at most about `bytes` that are not on their way yet.
void limit_unsent(int fd, std::size_t bytes);

/// Accepts on one socket.
///
/// Lives on: one net thread.
class Listener final : public std::enable_shared_from_this<Listener> {
 public:
  /// `accepted` gets each new non-blocking socket.
  Listener(IoThread::Impl& thread, int fd, Logger& logger, std::function<void(int fd)> accepted);
  void start();
  void close();

 private:
  void wait();
  void accept_some();

  IoThread::Impl& thread_;
  asio::posix::stream_descriptor descriptor_;
  Logger& logger_;
  std::function<void(int fd)> accepted_;
  bool closed_ = false;
};

}  // namespace truss::net
