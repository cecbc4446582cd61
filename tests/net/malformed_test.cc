// Hand-made HTTP/2 bytes against the server session: every violation ends its stream or its
// connection as RFC 9113 says, and nothing else.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "malformed_support.h"

namespace truss::net {
namespace {

using namespace testing;  // NOLINT: one file

TEST_CASE("stream errors reset that stream and no other") {
  struct Row {
    std::string what;
    std::string bytes;  ///< on stream 1
    std::uint32_t code;
  };
  const auto headers = [](const std::string& fields) {
    return frame(kHeaders, kEndHeaders | kEndStream, 1, fields);
  };
  const std::vector<Row> rows = {
      {"upper-case field name", headers(request_fields() + field("Bad", "x")),
       NGHTTP2_PROTOCOL_ERROR},
      {"connection field", headers(request_fields() + field("connection", "close")),
       NGHTTP2_PROTOCOL_ERROR},
      {"pseudo field after others",
       headers(field(":method", "POST") + field("x", "y") + field(":path", "/test.Echo/Unary")),
       NGHTTP2_PROTOCOL_ERROR},
      {"pseudo field in trailers",
       frame(kHeaders, kEndHeaders, 1, request_fields()) + headers(field(":path", "/x")),
       NGHTTP2_PROTOCOL_ERROR},
      {"trailers that don't end the stream",
       frame(kHeaders, kEndHeaders, 1, request_fields()) +
           frame(kHeaders, kEndHeaders, 1, field("x", "y")),
       NGHTTP2_PROTOCOL_ERROR},
      {"field name with a blank", headers(request_fields() + field("a b", "x")),
       NGHTTP2_PROTOCOL_ERROR},
      {"path twice", headers(request_fields() + field(":path", "/x")), NGHTTP2_PROTOCOL_ERROR},
      {"unknown pseudo field", headers(field(":strange", "x") + request_fields()),
       NGHTTP2_PROTOCOL_ERROR},
      {"value with a line break", headers(request_fields() + field("x", "a\r\nb")),
       NGHTTP2_PROTOCOL_ERROR},
      {"window overflow",
       frame(kHeaders, kEndHeaders, 1, request_fields()) +
           frame(kWindowUpdate, 0, 1, big_endian(0x7fffffff, 4)),
       NGHTTP2_FLOW_CONTROL_ERROR},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const Outcome got = serve(kStart + row.bytes + call(3, message("fine")));
    REQUIRE(got.resets.count(1) == 1);
    CHECK(got.resets.at(1) == row.code);
    CHECK(got.status.at(3) == "0 ");
    CHECK_FALSE(got.goaway);
  }
}

TEST_CASE("connection errors say goodbye with their code") {
  struct Row {
    std::string what;
    std::string bytes;
    std::uint32_t code;
  };
  const std::string open = frame(kHeaders, kEndHeaders, 1, request_fields());
  const std::vector<Row> rows = {
      {"data on stream 0", frame(kData, 0, 0, "x"), NGHTTP2_PROTOCOL_ERROR},
      {"headers on stream 0", frame(kHeaders, kEndHeaders, 0, request_fields()),
       NGHTTP2_PROTOCOL_ERROR},
      {"even stream id", frame(kHeaders, kEndHeaders, 2, request_fields()), NGHTTP2_PROTOCOL_ERROR},
      {"data on an idle stream", frame(kData, 0, 5, "x"), NGHTTP2_PROTOCOL_ERROR},
      {"frame above the agreed size", frame(kData, 0, 1, std::string(16385, 'x')),
       NGHTTP2_FRAME_SIZE_ERROR},
      {"ping of seven bytes", frame(kPing, 0, 0, "1234567"), NGHTTP2_FRAME_SIZE_ERROR},
      {"settings of five bytes", frame(kSettings, 0, 0, "12345"), NGHTTP2_FRAME_SIZE_ERROR},
      {"settings with a window above 2^31-1",
       frame(kSettings, 0, 0, std::string("\0\4", 2) + big_endian(0x80000000, 4)),
       NGHTTP2_FLOW_CONTROL_ERROR},
      {"window update of nothing on the connection", frame(kWindowUpdate, 0, 0, big_endian(0, 4)),
       NGHTTP2_PROTOCOL_ERROR},
      {"rst of an idle stream", frame(kRstStream, 0, 7, big_endian(8, 4)), NGHTTP2_PROTOCOL_ERROR},
      {"push promise from a client", open + frame(kPushPromise, kEndHeaders, 1, big_endian(2, 4)),
       NGHTTP2_PROTOCOL_ERROR},
      {"continuation of nothing", frame(kContinuation, kEndHeaders, 1, ""), NGHTTP2_PROTOCOL_ERROR},
      {"a frame inside a header block",
       frame(kHeaders, 0, 1, request_fields()) + frame(kPing, 0, 0, "12345678"),
       NGHTTP2_PROTOCOL_ERROR},
      {"header block that isn't HPACK", frame(kHeaders, kEndHeaders, 1, "\xff\xff\xff\xff\xff\xff"),
       NGHTTP2_COMPRESSION_ERROR},
      {"padding longer than the frame", open + frame(kData, 8, 1, "\x7fxx"),
       NGHTTP2_PROTOCOL_ERROR},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const Outcome got = serve(kStart + row.bytes);
    REQUIRE(got.goaway);
    CHECK(*got.goaway == row.code);
    CHECK(got.finished);
  }
}

TEST_CASE("floods end the connection") {
  std::string pings = kStart;
  for (int i = 0; i < 5000; ++i) pings += frame(kPing, 0, 0, "12345678");
  CHECK(serve(pings).finished);
  std::string settings = kStart;
  for (int i = 0; i < 5000; ++i) settings += frame(kSettings, 0, 0, "");
  CHECK(serve(settings).receive_failed);
  std::string resets = kStart;
  for (std::uint32_t id = 1; id < 60'001; id += 2) {
    resets += frame(kHeaders, kEndHeaders, id, request_fields());
    resets += frame(kRstStream, 0, id, big_endian(8, 4));
  }
  CHECK(serve(resets).finished);
}

TEST_CASE("what isn't a preface ends the connection") {
  CHECK(serve("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n").receive_failed);
  CHECK(serve("GET / HTTP/1.1\r\n\r\n").receive_failed);
}

TEST_CASE("unknown frame types and settings are ignored") {
  const Outcome got =
      serve(kStart + frame(static_cast<FrameType>(0x42), 0xff, 0, "whatever") +
            frame(kSettings, 0, 0, std::string("\x7f\x01", 2) + big_endian(1, 4)) +
            frame(kPriority, 0, 9, big_endian(0, 4) + "x") + call(1, message("fine")));
  CHECK(got.status.at(1) == "0 ");
  CHECK_FALSE(got.goaway);
}

TEST_CASE("every prefix of a conversation, and every one with a byte changed, is survived") {
  const std::string bytes =
      kStart + call(1, message("hi")) + frame(kPing, 0, 0, "12345678") + call(3, message("there"));
  for (std::size_t size = 0; size < bytes.size(); ++size) (void)serve(bytes.substr(0, size));
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ flip);
      (void)serve(changed);
    }
  }
}

}  // namespace
}  // namespace truss::net
