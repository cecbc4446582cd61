#include "json_text.h"

#include <doctest/doctest.h>

using namespace truss;
using namespace truss::api;
using State = JsonStep::State;

TEST_CASE("json: a value is read and what follows is left") {
  const auto step = read_json(R"( {"a":[1,"x\u00e9\n",null,true],"b":{}}{"c":1})", false);
  REQUIRE(step.state == State::kValue);
  CHECK(step.consumed == 39);
  REQUIRE(step.value.members.size() == 2);
  const auto& items = step.value.members[0].second.items;
  REQUIRE(items.size() == 4);
  CHECK(items[0].raw == "1");
  CHECK(items[1].text == "x\xc3\xa9\n");
  CHECK(items[2].kind == JsonValue::Kind::kNull);
  CHECK(items[3].boolean);
}

TEST_CASE("json: an incomplete value asks for more, at every cut") {
  const std::string whole =
      R"({"key":"Zm9v","n":-12.5e+3,"l":[true,{"x":null}],"s":"\ud83d\ude00"})";
  for (std::size_t n = 0; n < whole.size(); ++n) {
    CAPTURE(n);
    CHECK(read_json(whole.substr(0, n), true).state == State::kNeedMore);
  }
  CHECK(read_json(whole, true).state == State::kValue);
  CHECK(read_json("12", false).state == State::kNeedMore);
  CHECK(read_json("12", true).state == State::kValue);
  CHECK(read_json(" \n", true).blank);
}

TEST_CASE("json: errors have Go's words") {
  const std::pair<const char*, const char*> cases[] = {
      {"x", "invalid character 'x' looking for beginning of value"},
      {"nope", "invalid character 'o' in literal null (expecting 'u')"},
      {"{x", "invalid character 'x' looking for beginning of object key string"},
      {R"({"a" 1})", "invalid character '1' after object key"},
      {R"({"a":1 "b"})", "invalid character '\"' after object key:value pair"},
      {"[1 2]", "invalid character '2' after array element"},
      {"[1,]", "invalid character ']' looking for beginning of value"},
      {R"({"a":1,})", "invalid character '}' looking for beginning of object key string"},
      {R"("a\qb")", "invalid character 'q' in string escape code"},
      {R"("\u12g4")", "invalid character 'g' in \\u hexadecimal character escape"},
      {"\"a\nb\"", "invalid character '\\n' in string literal"},
      {"-x", "invalid character 'x' in numeric literal"},
      {"1.x", "invalid character 'x' after decimal point in numeric literal"},
      {"1ex", "invalid character 'x' in exponent of numeric literal"},
      {"'a'", "invalid character '\\'' looking for beginning of value"}};
  for (const auto& [text, error] : cases) {
    CAPTURE(text);
    const auto step = read_json(text, true);
    REQUIRE(step.state == State::kBad);
    CHECK(step.error == error);
  }
}

TEST_CASE("json: nesting is bounded") {
  CHECK(read_json(std::string(900, '[') + std::string(900, ']'), true).state == State::kValue);
  const auto deep = read_json(std::string(5'000'000, '['), true);
  REQUIRE(deep.state == State::kBad);
  CHECK(deep.error == "exceeded max depth");
}

TEST_CASE("json: strings go out escaped as the dialect has it") {
  CHECK(json_string("a\"b\\\n\t<&>\x01") == R"("a\"b\\\n\t\u003c\u0026\u003e\u0001")");
  CHECK(json_string("<\b>", false) == R"("<\b>")");
  CHECK(json_string("\xff") == R"("\ufffd")");
  CHECK(json_string("\xe2\x80\xa8") == R"("\u2028")");
  CHECK(read_json(json_string("\xc3\xa9\xf0\x9f\x98\x80"), true).value.text ==
        "\xc3\xa9\xf0\x9f\x98\x80");
  CHECK(read_json(R"("\ud83d\ude00\ud83d!")", true).value.text == "\xf0\x9f\x98\x80\xef\xbf\xbd!");
}
