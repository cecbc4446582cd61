#pragma once

#include <doctest/doctest.h>
#include <nghttp2/nghttp2.h>

#include <map>
#include <optional>
#include <string>

#include "support.h"

/// A client whose HTTP/2 bytes are made by hand, and a reader of what the server session says to
/// them.
namespace truss::net::testing {

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
inline constexpr unsigned char kEndStream = 1;
inline constexpr unsigned char kEndHeaders = 4;

inline std::string big_endian(std::uint32_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i));
  return out;
}

inline std::string frame(FrameType type, unsigned char flags, std::uint32_t stream,
                         const std::string& payload) {
  return big_endian(static_cast<std::uint32_t>(payload.size()), 3) +
         std::string{static_cast<char>(type), static_cast<char>(flags)} + big_endian(stream, 4) +
         payload;
}

/// A field as HPACK literal without indexing, name and value of at most 126 bytes.
inline std::string field(const std::string& name, const std::string& value) {
  return std::string(1, '\0') + static_cast<char>(name.size()) + name +
         static_cast<char>(value.size()) + value;
}

inline std::string request_fields(const std::string& path = "/test.Echo/Unary") {
  return field(":method", "POST") + field(":scheme", "http") + field(":path", path) +
         field(":authority", "x") + field("content-type", "application/grpc") +
         field("te", "trailers");
}

inline std::string message(const std::string& body, char flag = 0) {
  return std::string(1, flag) + big_endian(static_cast<std::uint32_t>(body.size()), 4) + body;
}

inline std::string call(std::uint32_t stream, const std::string& body) {
  return frame(kHeaders, kEndHeaders, stream, request_fields()) +
         frame(kData, kEndStream, stream, body);
}

inline const std::string kStart = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(kSettings, 0, 0, "");

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

inline std::uint32_t number(ByteView bytes) {
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

inline Outcome read_frames(ByteView out) {
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
inline Outcome serve(const std::string& bytes, ServerOptions options = {}) {
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

}  // namespace truss::net::testing
