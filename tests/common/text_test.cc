#include "truss/common/text.h"

#include <doctest/doctest.h>

using namespace truss;

namespace {

std::string json(ByteView text, JsonStyle style = JsonStyle::kGo) {
  std::string out;
  append_json_string(out, text, style);
  return out;
}

}  // namespace

TEST_CASE("text: JSON as Go's encoding/json writes it") {
  CHECK(json("plain \xc3\xa9 \xf0\x9f\x98\x80") == "\"plain \xc3\xa9 \xf0\x9f\x98\x80\"");
  CHECK(json(ByteView("\0\x1f\n\r\t\\\"", 7)) == R"("\u0000\u001f\n\r\t\\\"")");
  CHECK(json("a<b>&\"\\\n\x01\xff\xe2\x80\xa8") ==
        R"("a\u003cb\u003e\u0026\"\\\n\u0001\ufffd\u2028")");
  CHECK(json("\b\f\x7f") == "\"\\u0008\\u000c\x7f\"");
  CHECK(json("\xed\xa0\x80") == R"("\ufffd\ufffd\ufffd")");  // a surrogate
  CHECK(json("\xc0\x80\xe2\x28\xa1") == R"("\ufffd\ufffd\ufffd(\ufffd")");
  CHECK(json("\xe2\x80\xa9\xf0\x9f") == R"("\u2029\ufffd\ufffd")");
}

TEST_CASE("text: JSON as zap and protojson write it") {
  CHECK(json("<\b\f>\xe2\x80\xa8\xff", JsonStyle::kLog) ==
        "\"<\\u0008\\u000c>\xe2\x80\xa8\\ufffd\"");
  CHECK(json("<\b\f>\xe2\x80\xa8\xff", JsonStyle::kProtobuf) ==
        "\"<\\b\\f>\xe2\x80\xa8\xef\xbf\xbd\"");
  std::string list;
  append_json_strings(list, {"a", "\""});
  CHECK(list == R"(["a","\""])");
}

TEST_CASE("text: quoted as Go's %q") {
  CHECK(quoted("plain") == "\"plain\"");
  CHECK(quoted(ByteView("k\0\n\"\\", 5)) == "\"k\\x00\\n\\\"\\\\\"");
  CHECK(quoted("\a\b\f\v\t\x7f") == R"("\a\b\f\v\t\x7f")");
  CHECK(quoted("\xff\xc3\xa9\xed\xa0\x80") == "\"\\xff\xc3\xa9\\xed\\xa0\\x80\"");
  CHECK(quoted("\xc2\x85\xc2\xa1\xc2\xad") == "\"\\u0085\xc2\xa1\\u00ad\"");
}

TEST_CASE("text: UTF-8 both ways") {
  for (const unsigned code :
       {0x0u, 0x7fu, 0x80u, 0x7ffu, 0x800u, 0xd7ffu, 0xe000u, 0xffffu, 0x10000u, 0x10ffffu}) {
    std::string text;
    append_utf8(text, code);
    CHECK(utf8_length(text) == text.size());
    CHECK(valid_utf8(text + "x"));
    if (text.size() > 1) CHECK_FALSE(valid_utf8(text.substr(0, text.size() - 1)));
  }
  CHECK_FALSE(valid_utf8("\xf4\x90\x80\x80"));
  CHECK_FALSE(valid_utf8("\xc1\xbf"));
  CHECK(valid_utf8(""));
}

TEST_CASE("text: percent-decoding keeps malformed escapes") {
  CHECK(percent_decode("a%41%4") == "aA%4");
  CHECK(percent_decode("%zz%e9+") == "%zz\xe9+");
  CHECK(percent_decode("a+b%2B", true) == "a b+");
}
