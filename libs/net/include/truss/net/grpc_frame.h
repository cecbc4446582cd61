#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "truss/common/bytes.h"
#include "truss/common/error.h"

namespace truss::net {

/// Cuts a stream of DATA bytes into gRPC messages: flag byte, 4-byte big-endian length, message.
/// Knows no socket; never allocates for bytes that have not arrived.
///
/// Thread: one.
class GrpcDeframer {
 public:
  static constexpr std::size_t kPrefixBytes = 5;

  explicit GrpcDeframer(std::size_t max_message_bytes) : max_message_bytes_(max_message_bytes) {}

  /// Takes bytes off the front of `input` until one message is complete or `input` is empty.
  /// Returns: true when `message` holds a whole message (call again with the rest).
  /// Errors (grpc-go's codes and texts; the stream can't be read any further):
  /// kResourceExhausted `grpc: received message larger than max (N vs. M)`; kInternal for a
  /// compressed or unknown flag, as no compressor is ever agreed.
  Result<bool> next(ByteView& input, SharedBytes& message);

  /// True between the first byte of a message and its last.
  bool mid_message() const { return prefix_size_ > 0; }
  /// Bytes held of the unfinished message.
  std::size_t buffered_bytes() const { return partial_.size(); }
  /// Forgets an unfinished message.
  void clear() { finish_message(); }

 private:
  Result<void> read_prefix(ByteView& input);
  void finish_message();

  std::size_t max_message_bytes_;
  std::size_t prefix_size_ = 0;
  std::size_t length_ = 0;
  unsigned char prefix_[kPrefixBytes] = {};
  std::string partial_;
};

/// Outgoing messages of one stream, to be cut into DATA frames of any size: each message gets its
/// gRPC prefix, and several share a frame.
///
/// Thread: one.
class GrpcOutBody {
 public:
  void push(SharedBytes message);
  /// Prefixes and messages not yet written.
  std::size_t size_bytes() const { return size_bytes_; }
  bool empty() const { return size_bytes_ == 0; }
  /// Appends exactly `count` <= size_bytes() bytes to `out` and forgets them.
  void write(std::size_t count, std::string& out);
  void clear();

 private:
  void pop_front();

  std::vector<SharedBytes> messages_;
  std::size_t head_ = 0;    ///< index of the first unwritten message
  std::size_t offset_ = 0;  ///< bytes of its prefix and body already written
  std::size_t size_bytes_ = 0;
};

}  // namespace truss::net
