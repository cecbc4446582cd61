#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "truss/common/bytes.h"
#include "truss/common/error.h"
#include "truss/net/call.h"

namespace truss::net {

/// Start line and header fields of one HTTP/1.x message.
struct Http1Head {
  std::string method;  ///< requests
  std::string target;  ///< requests, as sent
  int status = 0;      ///< responses
  int minor = 1;       ///< of HTTP/1.minor
  Metadata fields;     ///< lower-case names, wire order
  bool keep_alive = true;
  bool chunked = false;
};

/// What a parser finds, in order: head, body pieces, end. Callbacks must not destroy the parser.
class Http1Events {
 public:
  virtual ~Http1Events() = default;
  virtual void on_head(Http1Head head) = 0;
  virtual void on_body(ByteView piece) = 0;
  virtual void on_message_end() = 0;
};

/// Incremental HTTP/1.x parser: bytes in, events out; knows no socket.
///
/// Thread: one.
class Http1Parser {
 public:
  enum class Kind : std::uint8_t { kRequest, kResponse };

  Http1Parser(Kind kind, std::size_t max_header_bytes, Http1Events& events);
  ~Http1Parser();
  Http1Parser(const Http1Parser&) = delete;
  Http1Parser& operator=(const Http1Parser&) = delete;

  /// Parses until `bytes` ends or one message is complete; call again with the rest.
  /// Returns: bytes taken.
  /// Errors: kInvalidArgument for what isn't HTTP, kFailedPrecondition for a request of another
  /// major version, kResourceExhausted for a header above the limit. The parser is done for then.
  Result<std::size_t> parse(ByteView bytes);
  /// The peer sent its end: completes a response that is delimited by it.
  Result<void> parse_end();
  /// True between the first byte of a message and its end.
  bool mid_message() const;
  /// A response to HEAD has no body whatever its header says. Set before its header.
  void expect_no_body(bool none);

 private:
  struct Native;
  std::unique_ptr<Native> native_;
};

}  // namespace truss::net
