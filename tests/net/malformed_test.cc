// Hand-made HTTP/2 bytes against the server session: every violation ends its stream or its
// connection as RFC 9113 and grpc-go say, and nothing else.
#include <doctest/doctest.h>
#include <nghttp2/nghttp2.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "support.h"

namespace truss::net {
namespace {

using testing::ManualClock;
using testing::NoOwner;
using testing::QueueMailbox;

enum FrameType : unsigned char {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kRstStream = 3,
  kSettings = 4,
  kPushPromise = 5,
  kPing = 6,
  kGoaway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
};
constexpr unsigned char kEndStream = 1;
constexpr unsigned char kEndHeaders = 4;

std::string big_endian(std::uint32_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i));
  return out;
}

std::string frame(FrameType type, unsigned char flags, std::uint32_t stream,
                  const std::string& payload) {
  return big_endian(static_cast<std::uint32_t>(payload.size()), 3) +
         std::string{static_cast<char>(type), static_cast<char>(flags)} + big_endian(stream, 4) +
         payload;
}

/// A field as HPACK literal without indexing, name and value of at most 126 bytes.
std::string field(const std::string& name, const std::string& value) {
  return std::string(1, '\0') + static_cast<char>(name.size()) + name +
         static_cast<char>(value.size()) + value;
}

std::string request_fields(const std::string& path = "/test.Echo/Unary") {
  return field(":method", "POST") + field(":scheme", "http") + field(":path", path) +
         field(":authority", "x") + field("content-type", "application/grpc") +
         field("te", "trailers");
}

std::string message(const std::string& body, char flag = 0) {
  return std::string(1, flag) + big_endian(static_cast<std::uint32_t>(body.size()), 4) + body;
}

std::string call(std::uint32_t stream, const std::string& body) {
  return frame(kHeaders, kEndHeaders, stream, request_fields()) +
         frame(kData, kEndStream, stream, body);
}

const std::string kStart = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(kSettings, 0, 0, "");

/// What the server said, frame by frame.
struct Outcome {
  std::map<std::uint32_t, std::string> status;  ///< `grpc-status grpc-message` of a stream
  std::map<std::uint32_t, std::string> http_status;
  std::map<std::uint32_t, std::string> data;
  std::map<std::uint32_t, std::uint32_t> resets;  ///< stream to code
  std::optional<std::uint32_t> goaway;
  bool receive_failed = false;
  bool finished = false;
};

std::uint32_t number(ByteView bytes) {
  std::uint32_t out = 0;
  for (const char c : bytes) out = (out << 8) | static_cast<unsigned char>(c);
  return out;
}

class Inflater {
 public:
  Inflater() { nghttp2_hd_inflate_new(&inflater_); }
  ~Inflater() { nghttp2_hd_inflate_del(inflater_); }
  std::map<std::string, std::string> decode(ByteView block) {
    std::map<std::string, std::string> out;
    const auto* in = reinterpret_cast<const std::uint8_t*>(block.data());
    std::size_t left = block.size();
    for (;;) {
      nghttp2_nv nv;
      int flags = 0;
      const ssize_t taken = nghttp2_hd_inflate_hd2(inflater_, &nv, &flags, in, left, 1);
      REQUIRE(taken >= 0);
      in += taken;
      left -= static_cast<std::size_t>(taken);
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
        out[std::string(reinterpret_cast<char*>(nv.name), nv.namelen)] =
            std::string(reinterpret_cast<char*>(nv.value), nv.valuelen);
      }
      if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
    }
    nghttp2_hd_inflate_end_headers(inflater_);
    return out;
  }

 private:
  nghttp2_hd_inflater* inflater_ = nullptr;
};

Outcome read_frames(ByteView out) {
  Outcome result;
  Inflater inflater;
  while (out.size() >= 9) {
    const std::size_t size = number(out.substr(0, 3));
    const auto type = static_cast<FrameType>(out[3]);
    const std::uint32_t stream = number(out.substr(5, 4));
    REQUIRE(out.size() >= 9 + size);
    const ByteView payload = out.substr(9, size);
    out.remove_prefix(9 + size);
    if (type == kHeaders) {
      auto fields = inflater.decode(payload);
      if (fields.count(":status") > 0) result.http_status[stream] = fields[":status"];
      if (fields.count("grpc-status") > 0) {
        result.status[stream] = fields["grpc-status"] + " " + fields["grpc-message"];
      }
    } else if (type == kData) {
      result.data[stream] += payload;
    } else if (type == kRstStream) {
      result.resets[stream] = number(payload);
    } else if (type == kGoaway) {
      result.goaway = number(payload.substr(4, 4));
    }
  }
  return result;
}

/// A server that echoes, given `bytes` after the handshake.
Outcome serve(const std::string& bytes, ServerOptions options = {}) {
  ManualClock clock;
  const auto mailbox = std::make_shared<QueueMailbox>();
  NoOwner owner;
  ServiceTable table;
  table.add_method("/test.Echo/Unary", {[](CallContext, SharedBytes request, UnaryReply reply) {
                                          reply.finish(std::move(request));
                                        },
                                        nullptr});
  GrpcServerSession session(table, options, clock, mailbox, "p", owner);
  const bool ok = session.receive(bytes).has_value();
  mailbox->run_all();
  std::string out;
  session.pull(out, 16u << 20);
  Outcome result = read_frames(out);
  result.receive_failed = !ok;
  result.finished = session.finished();
  session.lost({Code::kCanceled, "over"});
  mailbox->run_all();
  return result;
}

TEST_CASE("the hand-made client is understood") {
  const Outcome got = serve(kStart + call(1, message("hi")));
  CHECK(got.status.at(1) == "0 ");
  CHECK(got.data.at(1) == message("hi"));
  CHECK(got.http_status.at(1) == "200");
  CHECK_FALSE(got.goaway);
}

TEST_CASE("malformed gRPC frames fail their call and no other") {
  struct Row {
    std::string what;
    std::string body;
    std::string status;
  };
  const std::vector<Row> rows = {
      {"empty body", "", "13 unexpected EOF"},
      {"cut in the prefix", std::string("\0\0\0", 3), "13 unexpected EOF"},
      {"cut in the message", message("hello").substr(0, 7), "13 unexpected EOF"},
      {"compressed flag", message("x", 1),
       "13 grpc: compressed flag set with identity or empty encoding"},
      {"flag 2", message("x", 2), "13 grpc: received unexpected payload format 2"},
      {"flag 255", message("x", '\xff'), "13 grpc: received unexpected payload format 255"},
      {"4 GiB", std::string("\0\xff\xff\xff\xff", 5),
       "8 grpc: received message larger than max (4294967295 vs. 2097152)"},
      {"one above the limit", std::string("\0\x00\x20\x00\x01", 5),
       "8 grpc: received message larger than max (2097153 vs. 2097152)"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const Outcome got = serve(kStart + call(1, row.body) + call(3, message("fine")));
    CHECK(got.status.at(1) == row.status);
    CHECK(got.http_status.at(1) == "200");
    CHECK(got.status.at(3) == "0 ");
    CHECK_FALSE(got.goaway);
    CHECK_FALSE(got.finished);
  }
}

TEST_CASE("unfinished requests of one connection are bounded together") {
  const auto unfinished = [](std::uint32_t stream) {
    return frame(kHeaders, kEndHeaders, stream, request_fields()) +
           frame(kData, 0, stream, message(std::string(20'000, 'x')).substr(0, 16'000));
  };
  const std::string bytes = kStart + unfinished(1) + unfinished(3) + unfinished(5);
  const Outcome got =
      serve(bytes + call(7, message("fine")), {.max_buffered_request_bytes = 40'000});
  CHECK(got.status.count(1) == 0);
  CHECK(got.status.count(3) == 0);
  CHECK(got.status.at(5) ==
        "8 grpc: unfinished request messages of this connection exceed 40000 bytes");
  CHECK(got.status.at(7) == "0 ");
}

TEST_CASE("a second message of a unary call is ignored, as grpc-go does") {
  const Outcome got = serve(kStart + call(1, message("one") + message("two")));
  CHECK(got.data.at(1) == message("one"));
}

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

TEST_CASE("at level 3.4 malformed calls get the answers of its grpc-go") {
  // Every row was seen on etcd 3.4.23.
  struct Row {
    std::string what;
    std::string fields;
    std::string body;
    std::string outcome;  ///< status, or `reset CODE`
  };
  const std::string post = field(":method", "POST") + field(":scheme", "http");
  const std::string path = field(":path", "/test.Echo/Unary");
  const std::string type = field("content-type", "application/grpc");
  const std::string fine = message("x");
  const std::vector<Row> rows = {
      {"JSON", post + path + field("content-type", "application/json"), fine, "reset 1"},
      {"no content-type", post + path, fine, "reset 1"},
      {"GET", field(":method", "GET") + path + type, fine, "0 "},
      {"no path", post + type, fine, "8 malformed method name: \"\""},
      {"odd path", post + field(":path", "/nothing") + type, fine,
       "8 malformed method name: \"/nothing\""},
      {"odd timeout", post + path + type + field("grpc-timeout", "5x"), fine, "reset 1"},
      {"no time", post + path + type + field("grpc-timeout", "0n"), fine,
       "2 context deadline exceeded"},
      {"odd binary field", post + path + type + field("x-bin", "*"), fine, "0 "},
      {"connection field", post + path + type + field("connection", "close"), fine, "0 "},
      {"no message", post + path + type, "", "2 EOF"},
      {"cut message", post + path + type, fine.substr(0, 5), "2 unexpected EOF"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const std::string bytes = frame(kHeaders, kEndHeaders, 1, row.fields) +
                              frame(kData, kEndStream, 1, row.body) + call(3, fine);
    const Outcome got = serve(kStart + bytes, {.grpc_dialect = GrpcDialect::kGo126});
    if (got.resets.count(1) > 0 && got.status.count(1) == 0) {
      CHECK("reset " + std::to_string(got.resets.at(1)) == row.outcome);
    } else {
      CHECK(got.status.at(1) == row.outcome);
    }
    CHECK(got.status.at(3) == "0 ");
  }
}

TEST_CASE("what grpc-go lets pass, passes") {
  const auto headers = [](const std::string& fields) {
    return frame(kHeaders, kEndHeaders, 1, fields) + frame(kData, kEndStream, 1, message("x"));
  };
  const std::string least = field(":method", "POST") + field(":path", "/test.Echo/Unary");
  const std::string type = field("content-type", "application/grpc");
  const std::vector<std::string> rows = {
      least + type,
      least + field(":authority", "#initially=[http://127.0.0.1:2379]") + type,
      least + field(":authority", "/run/etcd.sock") + type,
      least + type + field("te", "gzip"),
      least + type + field("content-length", "3"),
  };
  for (const std::string& fields : rows) {
    const Outcome got = serve(kStart + headers(fields));
    REQUIRE(got.status.count(1) == 1);
    CHECK(got.status.at(1) == "0 ");
  }
  const Outcome trailers = serve(kStart + frame(kHeaders, kEndHeaders, 1, request_fields()) +
                                 frame(kData, 0, 1, message("x")) +
                                 frame(kHeaders, kEndHeaders | kEndStream, 1, field("x", "y")));
  CHECK(trailers.status.at(1) == "0 ");
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
