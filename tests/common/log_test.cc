#include "truss/common/log.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <cmath>

#include "truss/common/file_system.h"
#include "truss/common/testing/memory_logger.h"

using namespace truss;

namespace {

/// What a JSON logger writes for `write`, without the time stamp.
template <class Write>
std::string logged(LogLevel level, const Write& write) {
  char dir[] = "/tmp/truss-log-XXXXXX";
  REQUIRE(::mkdtemp(dir) != nullptr);
  const std::string path = std::string(dir) + "/log";
  {
    const auto log = make_json_logger(level, {path});
    write(*log);
  }
  PosixFileSystem fs;
  std::string text = read_file(fs, path).value();
  REQUIRE(remove_all(fs, dir).has_value());
  const std::string key = "\"ts\":\"";
  for (std::size_t at = 0; (at = text.find(key, at)) != std::string::npos; at += key.size()) {
    const std::size_t begin = at + key.size();
    const std::string stamp = text.substr(begin, text.find('"', begin) - begin);
    CHECK(stamp.size() == std::string("2026-01-01T00:00:00.000000Z").size());
    text.erase(begin, stamp.size());
  }
  return text;
}

}  // namespace

TEST_CASE("the JSON logger writes zap's line") {
  const std::string text = logged(LogLevel::kInfo, [](Logger& log) {
    log.info("opened backend", {{"path", "/d"},
                                {"count", std::int64_t{-3}},
                                {"size", std::uint64_t{7}},
                                {"took", 0.25},
                                {"ok", true},
                                {"urls", std::vector<std::string>{"a", "b"}}});
  });
  CHECK(text ==
        "{\"level\":\"info\",\"ts\":\"\",\"msg\":\"opened backend\",\"path\":\"/d\",\"count\":-3,"
        "\"size\":7,\"took\":0.25,\"ok\":true,\"urls\":[\"a\",\"b\"]}\n");
}

TEST_CASE("the JSON logger escapes what JSON can't hold") {
  const std::string text = logged(LogLevel::kDebug, [](Logger& log) {
    log.warn("a\"b\\c\nd\te\x01", {{"bad", "x\xff\xc3y"}, {"good", "\xc3\xa4"}, {"nan", NAN}});
  });
  CHECK(text ==
        "{\"level\":\"warn\",\"ts\":\"\",\"msg\":\"a\\\"b\\\\c\\nd\\te\\u0001\","
        "\"bad\":\"x\\ufffd\\ufffdy\",\"good\":\"\xc3\xa4\",\"nan\":\"NaN\"}\n");
}

TEST_CASE("levels below the logger's are dropped") {
  const std::string text = logged(LogLevel::kWarn, [](Logger& log) {
    log.debug("no");
    log.info("no");
    log.warn("yes");
    log.error("yes");
  });
  CHECK(text.find("no") == std::string::npos);
  CHECK(text.find("\"level\":\"warn\"") != std::string::npos);
  CHECK(text.find("\"level\":\"error\"") != std::string::npos);
}

TEST_CASE("parse_log_level knows zap's names") {
  LogLevel level = LogLevel::kOff;
  CHECK(parse_log_level("debug", level));
  CHECK(level == LogLevel::kDebug);
  CHECK(parse_log_level("error", level));
  CHECK(level == LogLevel::kError);
  CHECK(parse_log_level("panic", level));
  CHECK(level == LogLevel::kFatal);
  CHECK_FALSE(parse_log_level("loud", level));
}

TEST_CASE("MemoryLogger keeps lines") {
  truss::testing::MemoryLogger log(LogLevel::kInfo);
  log.debug("dropped");
  log.info("kept", {{"n", std::uint64_t{2}}, {"list", std::vector<std::string>{"a", "b"}}});
  CHECK(log.text() == "info: kept n=2 list=[a,b]\n");
  CHECK(log.contains("n=2"));
}
