// Hand-made calls against the server session: what is no call, or half of one, gets the answer that
// grpc-go gives.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "malformed_support.h"

namespace truss::net {
namespace {

using namespace testing;  // NOLINT: one file

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

}  // namespace
}  // namespace truss::net
