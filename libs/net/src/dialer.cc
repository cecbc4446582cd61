#include "dialer.h"

#include <algorithm>

#include "listener.h"

namespace truss::net {
namespace {

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

/// Go's lower-case text of a system error.
std::string text_of(const std::error_code& error) {
  std::string text = error.message();
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] + 32);
  return text;
}

/// Dialling a free port of the ephemeral range on the own host, the kernel may pick that very port
/// as ours and answer itself.
bool connected_to_itself(const asio::ip::tcp::socket& socket) {
  std::error_code failed;
  return socket.local_endpoint(failed) == socket.remote_endpoint(failed) && !failed;
}

}  // namespace

Dialer::Dialer(IoThread::Impl& thread, std::string host, std::string port, Done done)
    : thread_(thread),
      host_(std::move(host)),
      port_(std::move(port)),
      subject_("dial tcp " + bracketed(host_) + ":" + port_),
      done_(std::move(done)),
      resolver_(thread.context()),
      socket_(thread.context()) {}

void Dialer::start(std::optional<MonoTime> deadline) {
  deadline_ = deadline;
  std::error_code not_numeric;
  const asio::ip::address address = asio::ip::make_address(host_, not_numeric);
  arm();
  if (not_numeric) return resolve();
  addresses_ = {Endpoint(address, static_cast<std::uint16_t>(std::stoi(port_)))};
  thread_.post([self = shared_from_this()] { self->try_next(); });
}

void Dialer::resolve() {
  resolver_.async_resolve(
      host_, port_, asio::ip::tcp::resolver::numeric_service,
      [self = shared_from_this()](const std::error_code& error,
                                  const asio::ip::tcp::resolver::results_type& found) {
        self->thread_.turn([&] {
          if (!self->done_) return;
          if (error) {
            return self->finish(fail(Code::kUnavailable, self->subject_ + ": lookup " +
                                                             self->host_ + ": " + text_of(error)));
          }
          for (const auto& entry : found) self->addresses_.push_back(entry.endpoint());
          self->try_next();
        });
      });
}

void Dialer::try_next() {
  if (!done_) return;
  if (next_ == addresses_.size()) return finish(tl::unexpected(last_error_));
  std::error_code ignored;
  socket_.close(ignored);
  arm();
  socket_.async_connect(addresses_[next_++], [self = shared_from_this(),
                                              attempt = ++attempt_](const std::error_code& error) {
    self->thread_.turn([&] {
      if (attempt == self->attempt_) self->connected(error);
    });
  });
}

void Dialer::connected(const std::error_code& error) {
  if (!done_) return;
  const std::error_code failure =
      !error && connected_to_itself(socket_) ? asio::error::connection_refused : error;
  if (failure) {
    last_error_ = {Code::kUnavailable, subject_ + ": connect: " + text_of(failure),
                   failure.value()};
    return try_next();
  }
  std::error_code failed;
  socket_.native_non_blocking(true, failed);
  const int fd = socket_.release(failed);
  if (failed) return finish(fail(Code::kUnavailable, subject_ + ": " + text_of(failed)));
  finish(fd);
}

/// One timer for what is running: the whole time for the look-up and the last address, a fair share
/// for the others.
void Dialer::arm() {
  thread_.cancel(timer_);
  if (!deadline_) return;
  const MonoTime now = thread_.clock().now();
  const std::size_t left = std::max<std::size_t>(1, addresses_.size() - next_);
  const Duration share = std::max(*deadline_ - now, Duration::zero()) / static_cast<int>(left);
  timer_ = thread_.post_at(now + share, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->on_timer();
  });
}

void Dialer::on_timer() {
  if (!done_) return;
  last_error_ = {Code::kDeadlineExceeded, subject_ + ": i/o timeout"};
  if (next_ < addresses_.size()) return try_next();
  finish(tl::unexpected(last_error_));
}

void Dialer::finish(Result<int> outcome) {
  const Done done = std::move(done_);
  cancel();
  done(std::move(outcome));
}

void Dialer::cancel() {
  done_ = nullptr;
  ++attempt_;
  thread_.cancel(timer_);
  resolver_.cancel();
  std::error_code ignored;
  socket_.close(ignored);
}

}  // namespace truss::net
