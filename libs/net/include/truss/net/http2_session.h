#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "truss/common/bytes.h"
#include "truss/common/error.h"
#include "truss/net/grpc_frame.h"

namespace truss::net {

/// One header field to send. Bytes must live until the call that takes them returns.
struct HeaderField {
  std::string_view name;
  std::string_view value;
};

/// HTTP/2 error codes (RFC 9113 §7) used by name here.
enum class Http2Code : std::uint32_t {
  kNoError = 0,
  kProtocolError = 1,
  kInternalError = 2,
  kRefusedStream = 7,
  kCancel = 8,
  kEnhanceYourCalm = 11,
};

/// One stream of a session. Derive to add what a call needs; the deriver owns it and keeps it
/// alive until Http2Handler::on_closed.
class Http2Stream {
 public:
  Http2Stream() = default;
  Http2Stream(const Http2Stream&) = delete;
  Http2Stream& operator=(const Http2Stream&) = delete;
  virtual ~Http2Stream() = default;

  std::int32_t stream_id() const { return stream_id_; }
  /// What is still to be sent as DATA; after pushing call Http2Session::resume.
  GrpcOutBody& out() { return out_; }
  bool remote_ended() const { return remote_ended_; }
  bool local_ended() const { return local_ending_; }

 private:
  friend class Http2Session;
  GrpcOutBody out_;
  std::int32_t stream_id_ = 0;
  bool remote_ended_ = false;
  bool malformed_ = false;        ///< reset by us; nothing more is heard of it but on_closed
  bool headers_done_ = false;     ///< a further header block is its trailers
  bool local_ending_ = false;     ///< end_body was called
  bool trailers_follow_ = false;  ///< ... with trailers to come from the handler
  bool deferred_ = false;         ///< nghttp2 waits for resume
  Http2Stream* previous_ = nullptr;
  Http2Stream* next_ = nullptr;
};

/// What a session tells its owner. Callbacks come inside receive() and pull(); they may call any
/// other method of the session except those two and the destructor.
class Http2Handler {
 public:
  virtual ~Http2Handler() = default;
  /// Server: a request begins. Returns its stream object, or null to refuse the stream.
  virtual Http2Stream* on_request() = 0;
  virtual void on_header(Http2Stream& stream, std::string_view name, std::string_view value) = 0;
  /// A header block is complete: the request's or response's first, or (`trailers`) its last.
  virtual void on_headers_complete(Http2Stream& stream, bool trailers) = 0;
  /// DATA bytes. Until consume() is called for them they count against the receive windows.
  virtual void on_data(Http2Stream& stream, ByteView bytes) = 0;
  /// The peer will send no more on this stream.
  virtual void on_remote_end(Http2Stream& stream) = 0;
  /// The body given with end_body(trailers_follow) went out: call submit_trailers now.
  virtual void on_trailers_due(Http2Stream& stream) { (void)stream; }
  /// `bytes` of out() moved into the output.
  virtual void on_sent(Http2Stream& stream, std::size_t bytes) { (void)stream, (void)bytes; }
  /// The stream is over; the session has forgotten it. `code` kNoError after a complete exchange.
  virtual void on_closed(Http2Stream& stream, Http2Code code) = 0;
  virtual void on_ping(bool ack, std::uint64_t opaque) { (void)ack, (void)opaque; }
  virtual void on_goaway(std::int32_t last_stream_id, Http2Code code, ByteView debug) {
    (void)last_stream_id, (void)code, (void)debug;
  }
  virtual void on_settings() {}
};

struct Http2Options {
  bool server = true;
  std::uint32_t max_concurrent_streams = 0xffffffff;  ///< announced unless the maximum
  std::uint32_t stream_window_bytes = 1u << 20;
  std::uint32_t connection_window_bytes = 16u << 20;
  std::uint32_t max_header_list_bytes = 1u << 20;  ///< announced; the owner enforces it
};

/// One HTTP/2 connection, either end, as bytes in and bytes out: knows no socket. Frames, HPACK
/// and flow control are nghttp2's.
///
/// Thread: one.
class Http2Session {
 public:
  Http2Session(const Http2Options& options, Http2Handler& handler);
  /// Forgets all streams without callbacks; see abandon_streams.
  ~Http2Session();
  Http2Session(const Http2Session&) = delete;
  Http2Session& operator=(const Http2Session&) = delete;

  /// Takes bytes from the peer. Errors: kInternal: what came can't be HTTP/2 (bad preface, flood)
  /// and the connection must be closed after what pull() still gives. Violations that HTTP/2
  /// answers with GOAWAY succeed here and show in finished().
  Result<void> receive(ByteView bytes);
  /// Appends output to `out` until there is none or `out` holds `limit_bytes` (exceeded by at most
  /// one frame).
  void pull(std::string& out, std::size_t limit_bytes);
  /// True if pull would give something.
  bool wants_write() const;
  /// True when the session is over: send what pull gives, then close.
  bool finished() const;

  /// Server: response headers; with `end` nothing follows, else out() and end_body().
  void respond(Http2Stream& stream, std::span<const HeaderField> fields, bool end);
  /// Client: opens a stream. Body from out(); end_body() half-closes. Returns: false when the
  /// session takes no more streams.
  bool request(Http2Stream& stream, std::span<const HeaderField> fields);
  /// More is in out().
  void resume(Http2Stream& stream);
  /// out() is all there is.
  void end_body(Http2Stream& stream, bool trailers_follow);
  /// Only inside on_trailers_due.
  void submit_trailers(Http2Stream& stream, std::span<const HeaderField> fields);
  void reset(Http2Stream& stream, Http2Code code);
  /// Gives window back for `bytes` of on_data.
  void consume(Http2Stream& stream, std::size_t bytes);
  /// Only the connection's window: the stream is held back, others are not.
  void consume_connection(std::size_t bytes);
  void consume_stream(Http2Stream& stream, std::size_t bytes);

  void ping(std::uint64_t opaque);
  /// First step of a graceful end: GOAWAY that still lets the streams on the wire in.
  void announce_shutdown();
  /// GOAWAY with the last stream taken. With an error code the session finishes at once.
  void goaway(Http2Code code, std::string_view debug);

  std::size_t stream_count() const { return stream_count_; }
  /// Forgets every live stream and shows it to `visit`, which may destroy it. Nothing may be asked
  /// of the session afterwards.
  template <class Visit>
  void abandon_streams(Visit&& visit) {
    while (first_ != nullptr) {
      Http2Stream& stream = *first_;
      unlink(stream);
      visit(stream);
    }
  }

 private:
  struct Callbacks;
  struct Native;
  void link(Http2Stream& stream);
  void unlink(Http2Stream& stream);

  Http2Handler& handler_;
  std::unique_ptr<Native> native_;
  std::string* pull_target_ = nullptr;
  Http2Stream* first_ = nullptr;
  std::size_t stream_count_ = 0;
  bool failed_ = false;
  bool closing_ = false;
};

}  // namespace truss::net
