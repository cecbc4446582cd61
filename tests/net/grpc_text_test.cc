#include "truss/net/grpc_text.h"

#include <doctest/doctest.h>

#include "truss/common/base64.h"

namespace truss::net {
namespace {

using namespace std::chrono_literals;

TEST_CASE("grpc-message escapes what isn't printable") {
  CHECK(encode_grpc_message("etcdserver: key not found") == "etcdserver: key not found");
  CHECK(encode_grpc_message("50% \n\xc3\xa9") == "50%25 %0A%C3%A9");
  CHECK(decode_grpc_message("50%25 %0a%C3%A9") == "50% \n\xc3\xa9");
  CHECK(decode_grpc_message("%") == "%");
  CHECK(decode_grpc_message("%4") == "%4");
  CHECK(decode_grpc_message("%zz%41") == "%zzA");
  std::string every;
  for (int c = 0; c < 256; ++c) every += static_cast<char>(c);
  CHECK(decode_grpc_message(encode_grpc_message(every)) == every);
}

TEST_CASE("grpc-timeout in every unit") {
  CHECK(*parse_grpc_timeout("5S") == 5s);
  CHECK(*parse_grpc_timeout("1H") == 1h);
  CHECK(*parse_grpc_timeout("2M") == 2min);
  CHECK(*parse_grpc_timeout("30m") == 30ms);
  CHECK(*parse_grpc_timeout("7u") == 7us);
  CHECK(*parse_grpc_timeout("0n") == 0ns);
  CHECK(*parse_grpc_timeout("99999999H") > 0ns);  // does not overflow
}

TEST_CASE("malformed grpc-timeout") {
  for (const char* text : {"", "S", "5", "5s", "-5S", "+5S", "5 S", "123456789S", "5SS", "x1S"}) {
    CAPTURE(text);
    const auto got = parse_grpc_timeout(text);
    REQUIRE_FALSE(got);
    CHECK(got.error().code == Code::kInternal);
    CHECK(got.error().message.starts_with("malformed grpc-timeout: "));
  }
}

TEST_CASE("a formatted timeout is never shorter than asked and parses") {
  for (const Duration timeout : {Duration(1ns), Duration(99'999'999ns), Duration(100'000'000ns),
                                 Duration(5s), Duration(123'456'789'012ns), Duration(48h)}) {
    const auto back = parse_grpc_timeout(format_grpc_timeout(timeout));
    REQUIRE(back);
    CHECK(*back >= timeout);
    CHECK(*back <= timeout + timeout / 1000);
  }
  CHECK(format_grpc_timeout(-1s) == "0n");
}

TEST_CASE("base64 of binary metadata") {
  CHECK(*decode_base64("aGVsbG8=") == "hello");
  CHECK(*decode_base64("aGVsbG8") == "hello");
  CHECK(*decode_base64("") == "");
  CHECK_FALSE(decode_base64("a"));
  CHECK_FALSE(decode_base64("a*bc"));
  std::string every;
  for (int c = 0; c < 256; ++c) {
    every += static_cast<char>(c);
    CHECK(*decode_base64(base64_encode_unpadded(every)) == every);
  }
}

TEST_CASE("content types of gRPC") {
  std::string_view subtype;
  CHECK(parse_grpc_content_type("application/grpc", subtype));
  CHECK(subtype.empty());
  CHECK(parse_grpc_content_type("application/grpc+proto", subtype));
  CHECK(subtype == "proto");
  CHECK(parse_grpc_content_type("Application/GRPC;charset=x", subtype));
  CHECK_FALSE(parse_grpc_content_type("application/grpcweb", subtype));
  CHECK_FALSE(parse_grpc_content_type("application/json", subtype));
  CHECK_FALSE(parse_grpc_content_type("", subtype));
}

}  // namespace
}  // namespace truss::net
