#pragma once

#include <asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io_thread_impl.h"
#include "truss/common/error.h"

namespace truss::net {

/// Connects to a host and port: looks a name up beside the loop, then tries its addresses in
/// order, each with its share of the time left.
///
/// Lives on: one net thread. Handlers in the loop keep it alive until it is done.
class Dialer final : public std::enable_shared_from_this<Dialer> {
 public:
  /// Gets the non-blocking socket, or kUnavailable `dial tcp HOST:PORT: …`, or kDeadlineExceeded.
  using Done = std::function<void(Result<int> fd)>;

  Dialer(IoThread::Impl& thread, std::string host, std::string port, Done done);
  /// `deadline`: none means for ever. `done` comes later, never inside this call.
  void start(std::optional<MonoTime> deadline);
  /// Gives up without calling `done`.
  void cancel();

 private:
  using Endpoint = asio::ip::tcp::endpoint;

  void resolve();
  void try_next();
  void connected(const std::error_code& error);
  void arm();
  void on_timer();
  void finish(Result<int> outcome);

  IoThread::Impl& thread_;
  std::string host_;
  std::string port_;
  std::string subject_;  ///< for messages: `dial tcp 127.0.0.1:2380`
  Done done_;
  asio::ip::tcp::resolver resolver_;
  asio::ip::tcp::socket socket_;
  std::vector<Endpoint> addresses_;
  std::size_t next_ = 0;
  std::uint64_t attempt_ = 0;  ///< tells a stale connect handler from the running one
  std::optional<MonoTime> deadline_;
  TimerId timer_ = TimerId::kNone;
  Error last_error_{Code::kUnavailable, "no address"};
};

}  // namespace truss::net
