#include "truss/tool/report.h"

#include <doctest/doctest.h>

#include <sstream>

#include "truss/tool/progress.h"

using namespace truss;
using namespace truss::tool;

namespace {

Table sample() {
  Table table({{"ID", "id"}, {"KEY", "key"}, {"OK", "ok"}});
  table.add({std::uint64_t{7}, Bytes{std::string("a\0\xC3\xA9", 4)}, true});
  table.add({std::uint64_t{1234}, Bytes{"b"}, false});
  return table;
}

struct TickingClock final : Clock {
  mutable MonoTime time{};
  MonoTime now() const override { return time; }
  WallTime wall() const override { return {}; }
};

}  // namespace

TEST_CASE("report: a table as text, box and JSON") {
  CHECK(sample().render(Format::kText) == R"(  ID  KEY     OK
   7  a\x00é  true
1234  b       false
)");
  CHECK(sample().render(Format::kTable) == R"(+------+--------+-------+
|   ID | KEY    | OK    |
+------+--------+-------+
|    7 | a\x00é | true  |
| 1234 | b      | false |
+------+--------+-------+
)");
  CHECK(sample().render(Format::kJson) ==
        R"([{"id":7,"key":"YQDDqQ==","keyText":"a\\x00é","ok":true},)"
        R"({"id":1234,"key":"Yg==","keyText":"b","ok":false}])"
        "\n");
}

TEST_CASE("report: a record as text, box and JSON") {
  Record record;
  record.add("hash", "hash", std::uint64_t{0xffffffffffffffff}).add("size", "totalSize", 0.5);
  CHECK(record.render(Format::kText) == "hash: 18446744073709551615\nsize: 0.5\n");
  CHECK(record.render(Format::kJson) == "{\"hash\":18446744073709551615,\"totalSize\":0.5}\n");
  CHECK(record.render(Format::kTable).find("| hash  | 18446744073709551615 |") !=
        std::string::npos);
}

TEST_CASE("report: nested JSON has its commas right") {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("a").begin_array().value(1).begin_object().end_object();
  json.begin_array().end_array().null().end_array().field("b", "x\n").end_object();
  CHECK(out == R"({"a":[1,{},[],null],"b":"x\n"})");
}

TEST_CASE("report: sizes for people") {
  CHECK(human_bytes(0) == "0 B");
  CHECK(human_bytes(1023) == "1023 B");
  CHECK(human_bytes(1536) == "1.5 KiB");
  CHECK(human_bytes(~std::uint64_t{0}) == "16384.0 PiB");
}

TEST_CASE("progress: nothing before 500 ms, then ten lines a second, wiped at the end") {
  std::ostringstream out;
  std::ostringstream err;
  Console console{out, err, false, true};
  TickingClock clock;
  {
    Progress progress(console, clock, true, "reading", 4 << 20);
    clock.time += std::chrono::milliseconds(499);
    progress.update(1 << 20);
    CHECK(err.str().empty());
    clock.time += std::chrono::milliseconds(501);
    progress.update(1 << 20);
    progress.update(2 << 20);
    CHECK(err.str() == "\r\033[Kreading: 1.0 MiB of 4.0 MiB, 25 %, 1.0 MiB/s, 3 s left");
  }
  CHECK(err.str().ends_with("left\r\033[K"));
}

TEST_CASE("progress: none where stderr is no terminal") {
  std::ostringstream out;
  std::ostringstream err;
  Console console{out, err};
  TickingClock clock;
  Progress progress(console, clock, true, "reading", 0);
  clock.time += std::chrono::seconds(5);
  progress.update(1);
  CHECK(err.str().empty());
}
