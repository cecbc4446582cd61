#pragma once

#include <asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "byte_stream.h"
#include "io_thread_impl.h"
#include "session.h"

namespace truss::net {

/// What a connection needs from whoever accepted or opened it.
struct ConnectionHooks {
  /// Chooses the protocol by the first bytes. Null with `decided` false: needs more bytes; with
  /// `decided` true: nothing we speak, close.
  struct Choice {
    bool decided = false;
    std::unique_ptr<Session> session;
  };
  std::function<Choice(ByteView start, SessionOwner& owner)> choose;
  /// The last call: the socket is closed.
  std::function<void()> closed;
  /// Time for the first bytes.
  Duration first_byte_timeout = std::chrono::seconds(120);
};

/// One socket and the session on it: reads big, writes once a turn, closes politely.
///
/// Lives on: one net thread. Handlers in the loop keep it alive until close().
class Connection final : public Flushable,
                         public SessionOwner,
                         public std::enable_shared_from_this<Connection> {
 public:
  /// Takes `fd`, which is non-blocking. `stream` carries its bytes; null: as they are.
  Connection(IoThread::Impl& thread, int fd, std::unique_ptr<ByteStream> stream = nullptr);
  ~Connection() override;

  /// Before start().
  void set_hooks(ConnectionHooks hooks) { hooks_ = std::move(hooks); }
  /// Starts reading. `session` null: hooks.choose picks it.
  void start(std::unique_ptr<Session> session);
  void begin_shutdown();
  /// Closes at once; every call ends with `why`.
  void close(const Error& why);

  void session_changed() override;
  void flush() override;

 private:
  void wait_readable();
  void wait_writable();
  void on_readable();
  void take(ByteView bytes);
  void take_end();
  void choose();
  bool wants_input() const { return session_ == nullptr || session_->wants_input(); }
  bool write_some(ByteView bytes, std::size_t& taken);
  bool write_pending();
  void await_room();
  void write_broke(const Error& why);
  void finish_politely();
  void update_timer();
  void arm(MonoTime when);
  void on_timer();

  IoThread::Impl& thread_;
  asio::posix::stream_descriptor descriptor_;
  std::unique_ptr<ByteStream> stream_;
  ConnectionHooks hooks_;
  std::unique_ptr<Session> session_;
  std::string start_;    ///< bytes before the protocol is known
  std::string pending_;  ///< output that the socket did not take yet, from pending_from_ on
  std::size_t pending_from_ = 0;
  std::optional<MonoTime> armed_for_;
  std::optional<MonoTime> own_deadline_;  ///< for the first bytes, or for the polite end
  std::optional<MonoTime> write_deadline_;
  TimerId timer_ = TimerId::kNone;
  bool reading_ = false;
  bool writing_ = false;
  bool dirty_ = false;
  bool failed_ = false;     ///< the session can't go on: close after the output
  bool lingering_ = false;  ///< our end is sent; waiting for the peer's
  bool peer_ended_ = false;
  bool closed_ = false;
};

}  // namespace truss::net
