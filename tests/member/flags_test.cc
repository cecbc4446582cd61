#include <doctest/doctest.h>

#include <set>

#include "command_line.h"
#include "flag_table.h"

using namespace truss;
using namespace truss::member;

namespace {

using Words = std::vector<std::string>;

std::variant<Settings, Exit> read(const Words& words, const Words& environment = {}) {
  PosixFileSystem files;
  return read_settings(words, environment, files);
}

Exit exit_of(const Words& words, const Words& environment = {}) {
  auto got = read(words, environment);
  REQUIRE(std::holds_alternative<Exit>(got));
  return std::get<Exit>(std::move(got));
}

Settings settings_of(const Words& words, const Words& environment = {}) {
  auto got = read(words, environment);
  if (const auto* exit = std::get_if<Exit>(&got)) FAIL(exit->err);
  return std::get<Settings>(std::move(got));
}

}  // namespace

TEST_CASE("flags: what etcd ends with 2, and what with 1") {
  struct Row {
    Words words;
    Words environment;
    int code;
    const char* line;
  };
  const Row rows[] = {
      {{"--no-such"}, {}, 2, "member: flag provided but not defined: -no-such\n"},
      {{"--name"}, {}, 2, "member: flag needs an argument: -name\n"},
      {{"--heartbeat-interval", "x"},
       {},
       2,
       "member: invalid value \"x\" for flag -heartbeat-interval: parse error\n"},
      {{"--force-new-cluster=x"},
       {},
       2,
       "member: invalid boolean value \"x\" for -force-new-cluster: parse error\n"},
      {{"--grpc-keepalive-timeout=5"},
       {},
       2,
       "member: invalid value \"5\" for flag -grpc-keepalive-timeout: parse error\n"},
      {{"--listen-peer-urls=http://127.0.0.1"},
       {},
       2,
       "member: invalid value \"http://127.0.0.1\" for flag -listen-peer-urls: URL address does "
       "not have the form \"host:port\": http://127.0.0.1\n"},
      {{"--initial-cluster-state=maybe"},
       {},
       2,
       "member: invalid value \"maybe\" for flag -initial-cluster-state: invalid value\n"},
      {{"--proxy=x"}, {}, 2, "member: invalid value \"x\" for flag -proxy: invalid value\n"},
      {{"--cors=*,http://x:1"},
       {},
       2,
       "member: invalid value \"*,http://x:1\" for flag -cors: URL scheme must be http, https, "
       "unix, or unixs: *\n"},
      {{"--cors="},
       {},
       2,
       "member: invalid value \"\" for flag -cors: URL scheme must be http, https, unix, or unixs: "
       "\n"},
      {{"--discovery-fallback="},
       {},
       2,
       "member: invalid value \"\" for flag -discovery-fallback: invalid value\n"},
      {{"--log-level=loud"},
       {},
       2,
       "member: invalid value \"loud\" for flag -log-level: invalid value\n"},
      {{"stray"}, {}, 1, "member: 'stray' is not a valid flag\n"},
      {{"--force-new-cluster", "true"}, {}, 1, "member: 'true' is not a valid flag\n"},
      {{"--name=a"},
       {"ETCD_NAME=a"},
       1,
       "member: conflicting environment variable \"ETCD_NAME\" is shadowed by corresponding "
       "command-line flag (either unset environment variable or disable flag)\n"},
      {{},
       {"ETCD_SNAPSHOT_COUNT=many"},
       1,
       "member: invalid value \"many\" for ETCD_SNAPSHOT_COUNT: parse error\n"},
      {{"--compat=3.4", "--max-learners=2"},
       {},
       2,
       "member: flag provided but not defined: -max-learners (not a flag of etcd 3.4)\n"},
      {{"--compat=3.7", "--experimental-initial-corrupt-check"},
       {},
       2,
       "member: flag provided but not defined: -experimental-initial-corrupt-check (not a flag of "
       "etcd 3.7)\n"}};
  for (const Row& row : rows) {
    const Exit exit = exit_of(row.words, row.environment);
    CHECK(exit.code == row.code);
    CHECK(exit.err == row.line);
    CHECK(exit.out.empty());
  }
}

TEST_CASE("flags: --help and --version") {
  const Exit help = exit_of({"--help"});
  CHECK(help.code == 0);
  CHECK(help.out.find("EXAMPLES") != std::string::npos);
  for (const Flag& flag : all_flags()) {
    CHECK(help.out.find("--" + std::string(flag.name) + " ") != std::string::npos);
  }
  const Exit version = exit_of({"--version", "--compat", "3.4"});
  CHECK(version.code == 0);
  CHECK(version.out.starts_with("etcd Version: 3.4.23\nGit SHA: "));
  CHECK(std::count(version.out.begin(), version.out.end(), '\n') == 4);
}

TEST_CASE("flags: the last repeat wins; variables fill in; unknown ones are warned of") {
  const Settings s = settings_of({"-name", "a", "--name=b", "--max-wals=0x10"},
                                 {"PATH=/bin", "ETCD_DATA_DIR=/d", "ETCD_WHAT=1", "ETCD_CORS="});
  CHECK(s.text("name") == "b");
  CHECK(s.number("max-wals") == 16);
  CHECK(s.text("data-dir") == "/d");
  CHECK(s.text("cors") == "*");
  REQUIRE(s.warnings.size() == 1);
  CHECK(s.warnings[0].message == "unrecognized environment variable");
  CHECK(s.warnings[0].value == "ETCD_WHAT=1");
}

TEST_CASE("flags: an empty value is a value") {
  const Settings s = settings_of({"--initial-cluster-token=", "--name", "", "--max-wals=3"});
  CHECK(s.given("initial-cluster-token"));
  CHECK(s.text("initial-cluster-token").empty());
  CHECK(s.text("name").empty());
  CHECK(s.number("max-wals") == 3);
}

TEST_CASE("flags: flags of the past are taken and ignored") {
  const Settings s = settings_of({"--snapshot=1", "-name=a", "-vv", "x"});
  CHECK(s.text("name") == "a");
  CHECK(s.warnings.size() == 2);
}

TEST_CASE("flags: an experimental name counts where the new one is not given") {
  const char* name = "compaction-batch-limit";
  const char* old_name = "experimental-compaction-batch-limit";
  CHECK(settings_of({}).integer(name, old_name) == 1000);
  CHECK(settings_of({"--experimental-compaction-batch-limit=7"}).integer(name, old_name) == 7);
  CHECK(settings_of({"--experimental-compaction-batch-limit=7", "--compaction-batch-limit=8"})
            .integer(name, old_name) == 8);
}

TEST_CASE("flags: the table is sound") {
  std::set<std::string_view> names;
  for (const Flag& flag : all_flags()) {
    CAPTURE(flag.name);
    CHECK(names.insert(flag.name).second);
    CHECK_FALSE(is_legacy_flag(flag.name));
    CHECK(flag.first <= flag.last);
    CHECK_FALSE(flag.help.empty());
    if (!flag.default_value.empty()) CHECK(Settings::check(flag, flag.default_value));
  }
}
