#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "truss/common/bytes.h"
#include "truss/common/clock.h"
#include "truss/common/error.h"

namespace truss::net {

/// Whoever carries a session's bytes.
class SessionOwner {
 public:
  virtual ~SessionOwner() = default;
  /// Something changed outside receive(): pull(), finished() and next_time() want to be asked.
  virtual void session_changed() = 0;
};

/// One end of one connection's protocol, as bytes in and bytes out: knows no socket, no timer.
/// Destroy only after lost().
///
/// Lives on: one net thread.
class Session {
 public:
  virtual ~Session() = default;
  /// Bytes of the peer. Errors: close after flushing what pull() gives.
  virtual Result<void> receive(ByteView bytes) = 0;
  /// The peer sent its end. True: the connection may stay half open for what is still to be said.
  virtual bool receive_end() { return false; }
  /// False while the session can't take bytes (a pipelined request waits for the answer before).
  virtual bool wants_input() const { return true; }
  /// Appends output until there is none or `out` holds about `limit_bytes`.
  virtual void pull(std::string& out, std::size_t limit_bytes) = 0;
  /// The kernel has taken `bytes` more of what pull() gave.
  virtual void wrote(std::size_t bytes) { (void)bytes; }
  /// How long the peer may take nothing of the output before the connection is closed with
  /// kDeadlineExceeded; zero: for ever.
  virtual Duration write_timeout() const { return Duration::zero(); }
  /// True if what the peer says matters even while it takes nothing, or never will again.
  virtual bool hears_while_blocked() const { return false; }
  /// False if nobody cares what the peer does with the last output: close at once when finished().
  virtual bool lingers() const { return true; }
  /// Flush what pull() gives, then close.
  virtual bool finished() const = 0;
  /// When on_time wants to be called, if ever.
  virtual std::optional<MonoTime> next_time() const = 0;
  virtual void on_time(MonoTime now) = 0;
  /// Starts a graceful end: finished() turns true when the running calls are done.
  virtual void begin_shutdown() = 0;
  /// The connection is gone: ends every call with `why`. Idempotent; nothing else may be
  /// called after it.
  virtual void lost(const Error& why) = 0;
};

}  // namespace truss::net
