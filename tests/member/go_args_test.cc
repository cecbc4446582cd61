#include "go_args.h"

#include <doctest/doctest.h>

using namespace truss;
using namespace truss::member;

namespace {

FlagKind kind_of(std::string_view name) {
  if (name == "b") return FlagKind::kBool;
  return name == "s" ? FlagKind::kValue : FlagKind::kUnknown;
}

// Flags as `name=value;`, then `|` and the rest; or the error.
std::string read(const std::vector<std::string>& words) {
  const auto args = read_go_args(words, kind_of);
  if (!args) return args.error().message;
  std::string out = args->help ? "help;" : "";
  for (const auto& [name, value] : args->flags) out += name + "=" + value + ";";
  for (const auto& word : args->rest) out += "|" + word;
  return out;
}

}  // namespace

TEST_CASE("go args: dashes, values, booleans") {
  const std::pair<std::vector<std::string>, const char*> rows[] = {
      {{"-s", "v", "--s=w", "-b", "--b=false"}, "s=v;s=w;b=true;b=false;"},
      {{"--b", "false"}, "b=true;|false"},
      {{"-s", "-b"}, "s=-b;"},
      {{"-s="}, "s=;"},
      {{"--s", ""}, "s=;"},
      {{"-b", "--", "-s", "x"}, "b=true;|-s|x"},
      {{"-b", "-", "-s"}, "b=true;|-|-s"},
      {{"word", "-b"}, "|word|-b"},
      {{"-s=a=b"}, "s=a=b;"},
      {{"-h"}, "help;"},
      {{"-b", "--help"}, "help;b=true;"},
      {{"-x"}, "flag provided but not defined: -x"},
      {{"--x=1"}, "flag provided but not defined: -x"},
      {{"-s"}, "flag needs an argument: -s"},
      {{"---s"}, "bad flag syntax: ---s"},
      {{"-=x"}, "bad flag syntax: -=x"}};
  for (const auto& [words, want] : rows) CHECK(read(words) == want);
}

TEST_CASE("go args: integers") {
  CHECK(parse_go_int("-12").value() == -12);
  CHECK(parse_go_int("0x10").value() == 16);
  CHECK(parse_go_int("0b11").value() == 3);
  CHECK(parse_go_int("010").value() == 8);
  CHECK(parse_go_int("-9223372036854775808").value() == INT64_MIN);
  CHECK(parse_go_uint("18446744073709551615").value() == UINT64_MAX);
  for (const char* bad : {"", "x", "1x", "0x", "08", "1_000", "--1"}) {
    CAPTURE(bad);
    CHECK(parse_go_int(bad).error().message == "parse error");
  }
  CHECK(parse_go_uint("18446744073709551616").error().message == "value out of range");
  CHECK(parse_go_int("9223372036854775808").error().message == "value out of range");
  CHECK(!parse_go_uint("-1"));
}

TEST_CASE("go args: durations") {
  const std::pair<const char*, std::int64_t> rows[] = {{"0", 0},
                                                       {"1h30m", 5'400'000'000'000},
                                                       {"1.5s", 1'500'000'000},
                                                       {"-2us", -2'000},
                                                       {"100ms", 100'000'000},
                                                       {"2h0m0s", 7'200'000'000'000},
                                                       {".5s", 500'000'000},
                                                       {"7ns", 7}};
  for (const auto& [text, nanoseconds] : rows)
    CHECK(parse_go_duration(text).value() == nanoseconds);
  for (const char* bad : {"", "5", "s", "5x", "1h 2m", ".s", "9999999999h"}) {
    CAPTURE(bad);
    CHECK(!parse_go_duration(bad));
  }
}
