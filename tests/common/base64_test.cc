#include "truss/common/base64.h"

#include <doctest/doctest.h>

#include "truss/common/random.h"

using namespace truss;

TEST_CASE("base64: known values both ways") {
  const std::pair<const char*, const char*> cases[] = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}};
  for (const auto& [plain, coded] : cases) {
    CHECK(base64_encode(plain) == coded);
    CHECK(base64_decode(coded).value() == plain);
  }
  CHECK(base64_encode("\xff\xfe") == "//4=");
  CHECK(base64_decode("Zm\n9v\r\n").value() == "foo");
}

TEST_CASE("base64: errors name the byte that Go names") {
  const std::pair<const char*, int> cases[] = {
      {"Zm9", 0}, {"Z", 0},    {"Zm9vZ", 4}, {"Zm9v!", 4},    {"=", 0},
      {"Zg=", 3}, {"Zg=x", 2}, {"Zg==x", 4}, {"Zm9v_w==", 4}, {"Zm8=Zm8=", 4}};
  for (const auto& [text, at] : cases) {
    CAPTURE(text);
    const auto decoded = base64_decode(text);
    REQUIRE(!decoded);
    CHECK(decoded.error().message == "illegal base64 data at input byte " + std::to_string(at));
  }
}

TEST_CASE("base64: the lenient form takes URL-safe and unpadded text") {
  CHECK(base64_decode_lenient("__4").value() == "\xff\xfe");
  CHECK(base64_decode_lenient("//4=").value() == "\xff\xfe");
  CHECK(!base64_decode_lenient("Z"));
}

TEST_CASE("base64: the unpadded form takes no padding and no lone digit") {
  CHECK(base64_decode_unpadded("Zg").value() == "f");
  CHECK(base64_decode_unpadded("Zm8").value() == "fo");
  CHECK(base64_decode_unpadded("Zm9v").value() == "foo");
  CHECK(base64_encode_unpadded("fo") == "Zm8");
  CHECK(base64_decode_unpadded("Zg==").error().message == "illegal base64 data at input byte 2");
  CHECK(base64_decode_unpadded("Zm9vY").error().message == "illegal base64 data at input byte 4");
}

TEST_CASE("base64: what is encoded decodes to the same") {
  SeededRandom random(7);
  for (int round = 0; round < 500; ++round) {
    std::string bytes;
    for (auto n = random.below(40); n > 0; --n) bytes += static_cast<char>(random.below(256));
    CHECK(base64_decode(base64_encode(bytes)).value() == bytes);
  }
}
