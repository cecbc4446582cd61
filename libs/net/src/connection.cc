#include "connection.h"

#include <cstring>

#include "truss/net/io_thread.h"

namespace truss::net {
namespace {

constexpr std::size_t kWriteBytes = 256u << 10;
/// One connection's share of a turn, so that a busy one does not starve the rest.
constexpr int kReadsPerTurn = 4;
constexpr int kWritesPerTurn = 4;
constexpr auto kLinger = std::chrono::milliseconds(500);
constexpr auto kLastWords = std::chrono::seconds(5);

Error broken(int sys_errno) {
  return {Code::kCanceled, std::string("connection: ") + std::strerror(sys_errno), sys_errno};
}

}  // namespace

Connection::Connection(IoThread::Impl& thread, int fd, std::unique_ptr<ByteStream> stream)
    : thread_(thread), descriptor_(thread.context(), fd), stream_(std::move(stream)) {
  if (stream_ == nullptr) stream_ = std::make_unique<SocketStream>(fd);
}

Connection::~Connection() = default;

void Connection::start(std::unique_ptr<Session> session) {
  session_ = std::move(session);
  if (session_ == nullptr) own_deadline_ = thread_.clock().now() + hooks_.first_byte_timeout;
  wait_readable();
  session_changed();
}

void Connection::wait_readable() {
  if (reading_ || closed_ || peer_ended_) return;
  reading_ = true;
  descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                         [self = shared_from_this()](const std::error_code& error) {
                           self->thread_.turn([&] {
                             self->reading_ = false;
                             if (!error && !self->closed_) self->on_readable();
                           });
                         });
}

void Connection::wait_writable() {
  if (writing_ || closed_) return;
  writing_ = true;
  descriptor_.async_wait(asio::posix::stream_descriptor::wait_write,
                         [self = shared_from_this()](const std::error_code& error) {
                           self->thread_.turn([&] {
                             self->writing_ = false;
                             if (!error && !self->closed_) self->session_changed();
                           });
                         });
}

void Connection::on_readable() {
  std::string& buffer = thread_.read_buffer();
  for (int i = 0; i < kReadsPerTurn && !closed_ && !failed_ && (lingering_ || wants_input()); ++i) {
    const IoOutcome got = stream_->read(buffer);
    if (got.kind == IoOutcome::Kind::kWouldBlock) break;
    if (got.kind == IoOutcome::Kind::kEnd) return take_end();
    if (got.kind == IoOutcome::Kind::kBroken) {
      return close(broken(got.sys_errno));
    }
    if (!lingering_) take(ByteView(buffer.data(), got.bytes));
    if (got.bytes < buffer.size()) break;
  }
  session_changed();
}

void Connection::take(ByteView bytes) {
  if (session_ == nullptr) {
    start_.append(bytes);
    return choose();
  }
  if (!session_->receive(bytes)) failed_ = true;
}

void Connection::choose() {
  ConnectionHooks::Choice choice = hooks_.choose(start_, *this);
  if (!choice.decided) return;
  own_deadline_.reset();
  session_ = std::move(choice.session);
  if (session_ == nullptr) return close({Code::kCanceled, "unknown protocol"});
  std::string start;
  start.swap(start_);
  take(start);
}

void Connection::take_end() {
  peer_ended_ = true;
  if (session_ == nullptr || lingering_ || !session_->receive_end()) {
    return close({Code::kCanceled, "context canceled"});
  }
  session_changed();
}

void Connection::session_changed() {
  if (closed_ || dirty_) return;
  dirty_ = true;
  thread_.flush_later(shared_from_this());
}

/// False if the connection broke and is closed.
bool Connection::write_some(ByteView bytes, std::size_t& taken) {
  const IoOutcome put = stream_->write(bytes);
  if (put.kind == IoOutcome::Kind::kBroken) {
    write_broke(broken(put.sys_errno));
    return false;
  }
  taken = put.bytes;
  if (taken == 0) return true;
  write_deadline_.reset();
  session_->wrote(taken);
  return true;
}

void Connection::await_room() {
  wait_writable();
  const Duration patience = session_->write_timeout();
  if (write_deadline_ || patience <= Duration::zero()) return;
  write_deadline_ = thread_.clock().now() + patience;
}

bool Connection::write_pending() {
  if (pending_.empty()) return true;
  std::size_t taken = 0;
  if (!write_some(ByteView(pending_).substr(pending_from_), taken)) return false;
  pending_from_ += taken;
  if (pending_from_ < pending_.size()) {
    await_room();
    return false;
  }
  pending_.clear();
  pending_from_ = 0;
  if (thread_.write_buffer().capacity() < pending_.capacity()) {
    thread_.write_buffer().swap(pending_);
  }
  std::string().swap(pending_);
  return true;
}

/// A server that answers early and closes resets what is still being sent to it, but its answer may
/// have come before.
void Connection::write_broke(const Error& why) {
  std::string& buffer = thread_.read_buffer();
  while (!closed_ && !failed_ && session_->hears_while_blocked()) {
    const IoOutcome got = stream_->read(buffer);
    if (got.kind == IoOutcome::Kind::kEnd) (void)session_->receive_end();
    if (got.kind != IoOutcome::Kind::kDone) break;
    take(ByteView(buffer.data(), got.bytes));
  }
  close(why);
}

void Connection::flush() {
  dirty_ = false;
  if (closed_) return;
  if (session_ == nullptr || lingering_) {
    update_timer();
    return wait_readable();
  }
  int writes = 0;
  while (write_pending()) {
    std::string& out = thread_.write_buffer();
    out.clear();
    session_->pull(out, kWriteBytes);
    if (out.empty()) break;
    std::size_t taken = 0;
    if (!write_some(out, taken)) return;
    if (taken < out.size()) {
      pending_.swap(out);
      pending_from_ = taken;
    }
    if (++writes == kWritesPerTurn && pending_.empty()) {
      await_room();  // others first, if the socket still takes more
      break;
    }
  }
  if (closed_) return;
  const bool over = failed_ || session_->finished();
  if (over && !session_->lingers()) return close({Code::kCanceled, "connection closed"});
  if (over && pending_.empty() && !writing_) return finish_politely();
  // Who does not read its last words has no claim on the socket.
  if (over && !own_deadline_) own_deadline_ = thread_.clock().now() + kLastWords;
  update_timer();
  // A peer that does not read gets no more answers, so it may not ask for more either.
  const bool may_speak = pending_.empty() || session_->hears_while_blocked();
  if (may_speak && session_->wants_input()) wait_readable();
}

/// Closing with unread input makes the kernel drop what the peer has not read yet (RST): say the
/// end, then wait a little for the peer's.
void Connection::finish_politely() {
  if (lingering_) return;
  lingering_ = true;
  session_->lost({Code::kUnavailable, "connection closing"});
  stream_->end_writing();
  if (peer_ended_) return close({Code::kUnavailable, "connection closing"});
  own_deadline_ = thread_.clock().now() + kLinger;
  update_timer();
  wait_readable();
}

void Connection::begin_shutdown() {
  if (session_ == nullptr) return close({Code::kUnavailable, "server stopping"});
  session_->begin_shutdown();
  session_changed();
}

void Connection::close(const Error& why) {
  if (closed_) return;
  closed_ = true;
  if (session_ != nullptr) session_->lost(why);
  // Not before the session's own frames have left the stack; and not as late as this object, which
  // a handler may keep in the loop for ever, while the session keeps the loop.
  thread_.post([doomed = std::move(session_)] {});
  thread_.cancel(timer_);
  std::error_code ignored;
  descriptor_.close(ignored);
  if (const auto closed = std::move(hooks_.closed)) closed();
}

void Connection::update_timer() {
  std::optional<MonoTime> next = own_deadline_;
  if (session_ != nullptr && !lingering_) {
    const std::optional<MonoTime> theirs = session_->next_time();
    if (theirs) next = next ? std::min(*next, *theirs) : *theirs;
    if (write_deadline_) next = next ? std::min(*next, *write_deadline_) : *write_deadline_;
  }
  if (next && (!armed_for_ || *next < *armed_for_)) arm(*next);
}

void Connection::arm(MonoTime when) {
  thread_.cancel(timer_);
  armed_for_ = when;
  timer_ = thread_.post_at(when, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->on_timer();
  });
}

void Connection::on_timer() {
  armed_for_.reset();
  timer_ = TimerId::kNone;
  if (closed_) return;
  const MonoTime now = thread_.clock().now();
  if (own_deadline_ && now >= *own_deadline_) {
    return close({Code::kCanceled, "connection timed out"});
  }
  if (write_deadline_ && now >= *write_deadline_) {
    return close({Code::kDeadlineExceeded, "connection: write timed out"});
  }
  if (session_ != nullptr && !lingering_) session_->on_time(now);
  session_changed();
}

}  // namespace truss::net
