#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "truss/common/bytes.h"

namespace truss::net {

/// What came of one non-blocking read or write.
struct IoOutcome {
  enum class Kind : std::uint8_t { kDone, kWouldBlock, kEnd, kBroken };
  Kind kind = Kind::kDone;
  std::size_t bytes = 0;  ///< with kDone
  int sys_errno = 0;      ///< with kBroken
};

/// The bytes of one connection as the protocol sees them. Plain TCP and unix sockets here; TLS
/// stands between the same two calls, its own choice of protocol (ALPN) in place of the sniffer.
///
/// Lives on: one net thread.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  virtual IoOutcome read(std::span<char> into) = 0;
  virtual IoOutcome write(ByteView bytes) = 0;
  /// Tells the peer that nothing more will be written.
  virtual void end_writing() = 0;
};

/// A non-blocking socket that somebody else owns.
class SocketStream final : public ByteStream {
 public:
  explicit SocketStream(int fd) : fd_(fd) {}
  IoOutcome read(std::span<char> into) override;
  IoOutcome write(ByteView bytes) override;
  void end_writing() override;

 private:
  int fd_;
};

}  // namespace truss::net
