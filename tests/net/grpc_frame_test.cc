#include "truss/net/grpc_frame.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace truss::net {
namespace {

std::string framed(ByteView message, unsigned char flag = 0) {
  std::string out(1, static_cast<char>(flag));
  for (int shift = 24; shift >= 0; shift -= 8) {
    out += static_cast<char>(message.size() >> shift);
  }
  return out + std::string(message);
}

/// All messages of `bytes` given in pieces; the error's text last, if there is one.
std::vector<std::string> read_all(GrpcDeframer& deframer, const std::vector<ByteView>& pieces) {
  std::vector<std::string> out;
  for (ByteView piece : pieces) {
    while (!piece.empty()) {
      SharedBytes message;
      const Result<bool> complete = deframer.next(piece, message);
      if (!complete) {
        out.push_back("error " + complete.error().message);
        return out;
      }
      if (*complete) out.emplace_back(message.view());
    }
  }
  return out;
}

TEST_CASE("a stream split at every byte gives the same messages") {
  const std::vector<std::string> messages = {"", "a", std::string(300, 'b'), "", "tail"};
  std::string bytes;
  for (const std::string& m : messages) bytes += framed(m);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    CAPTURE(cut);
    GrpcDeframer deframer(1000);
    const ByteView all = bytes;
    CHECK(read_all(deframer, {all.substr(0, cut), all.substr(cut)}) == messages);
    CHECK_FALSE(deframer.mid_message());
  }
}

TEST_CASE("a stream given byte by byte gives the same messages") {
  const std::string bytes = framed("hello") + framed("") + framed("world");
  std::vector<ByteView> pieces;
  for (std::size_t i = 0; i < bytes.size(); ++i) pieces.push_back(ByteView(bytes).substr(i, 1));
  GrpcDeframer deframer(5);
  CHECK(read_all(deframer, pieces) == std::vector<std::string>{"hello", "", "world"});
}

TEST_CASE("an unfinished message shows") {
  GrpcDeframer deframer(100);
  CHECK(read_all(deframer, {ByteView(framed("hello")).substr(0, 7)}).empty());
  CHECK(deframer.mid_message());
  CHECK(deframer.buffered_bytes() == 2);
}

TEST_CASE("the limit is checked before anything is held") {
  GrpcDeframer deframer(4);
  const auto got = read_all(deframer, {framed("hello").substr(0, 5)});
  REQUIRE(got.size() == 1);
  CHECK(got[0] == "error grpc: received message larger than max (5 vs. 4)");
  CHECK(deframer.buffered_bytes() == 0);
  GrpcDeframer huge(4);
  const std::string four_gib("\0\xff\xff\xff\xff", 5);
  CHECK(read_all(huge, {four_gib})[0] ==
        "error grpc: received message larger than max (4294967295 vs. 4)");
}

TEST_CASE("a flag of no meaning is refused with grpc-go's text") {
  GrpcDeframer compressed(100);
  CHECK(read_all(compressed, {framed("x", 1)})[0] ==
        "error grpc: compressed flag set with identity or empty encoding");
  GrpcDeframer unknown(100);
  CHECK(read_all(unknown, {framed("x", 7)})[0] ==
        "error grpc: received unexpected payload format 7");
}

TEST_CASE("outgoing messages written in steps of every size come out whole") {
  const std::string expected = framed("first") + framed("") + framed(std::string(100, 'z'));
  for (std::size_t step = 1; step <= expected.size(); ++step) {
    CAPTURE(step);
    GrpcOutBody body;
    body.push(SharedBytes::copy("first"));
    body.push(SharedBytes());
    body.push(SharedBytes::copy(std::string(100, 'z')));
    REQUIRE(body.size_bytes() == expected.size());
    std::string out;
    while (!body.empty()) body.write(std::min(step, body.size_bytes()), out);
    CHECK(out == expected);
  }
}

TEST_CASE("a long queue of outgoing messages keeps its order") {
  GrpcOutBody body;
  std::string out;
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    const std::string message = std::to_string(i);
    expected += framed(message);
    body.push(SharedBytes::copy(message));
    if (i % 3 == 0) body.write(std::min<std::size_t>(body.size_bytes(), 11), out);
  }
  body.write(body.size_bytes(), out);
  CHECK(out == expected);
}

}  // namespace
}  // namespace truss::net
