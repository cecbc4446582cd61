#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "commands.h"
#include "durations.h"
#include "truss/test_support/temp_dir.h"
#include "truss/test_support/tool_documents.h"
#include "truss/tool/exit_code.h"

using namespace truss;
using namespace truss::peerbench;
using namespace std::chrono_literals;

namespace {

struct Ran {
  int code = 0;
  std::string out{};
  std::string err{};
};

Ran run(const std::vector<std::string>& words) {
  ThreadRuntime runtime;
  Settings settings;
  const auto root = make_commands(settings, runtime, "peerbench");
  std::ostringstream out;
  std::ostringstream err;
  tool::Console console{out, err};
  Ran ran;
  ran.code = tool::run_tool(*root, words, console);
  ran.out = out.str();
  ran.err = err.str();
  return ran;
}

}  // namespace

TEST_CASE("manual and completions are those of the commands") {
  ThreadRuntime runtime;
  Settings settings;
  const auto root = make_commands(settings, runtime, "peerbench");
  test_support::check_tool_documents(*root, TRUSS_SOURCE_DIR "/docs/");
}

TEST_CASE("times and sizes") {
  CHECK(parse_duration("10ms").value() == 10ms);
  CHECK(parse_duration("1.5s").value() == 1500ms);
  CHECK(parse_duration("250us").value() == 250us);
  CHECK(parse_duration("2m").value() == 2min);
  for (const char* text : {"", "10", "-1s", "0s", "ms", "1x", "25h", "nan"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text).has_value());
  }
  CHECK(parse_bytes("4096").value() == 4096);
  CHECK(parse_bytes("64MiB").value() == 64u << 20);
  CHECK(parse_bytes("1G").value() == 1u << 30);
  for (const char* text : {"", "0", "-1", "1X", "2000GiB", "GiB"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_bytes(text).has_value());
  }
}

TEST_CASE("usage errors end with 2, absent files and programs with 3, refused ones with 5") {
  CHECK(run({"channels", "--rate", "x"}).code == tool::kUsage);
  CHECK(run({"channels", "--rate", "0"}).code == tool::kUsage);
  CHECK(run({"heartbeat", "--interval", "10"}).code == tool::kUsage);
  CHECK(run({"compare", "one.json"}).code == tool::kUsage);
  CHECK(run({"mix", "--profile", "recorded"}).code == tool::kUsage);
  CHECK(run({"channels", "--self", "--against", "etcd"}).code == tool::kUsage);
  CHECK(run({"channels", "--against", "/no/such/program"}).code == tool::kIo);
  CHECK(run({"compare", "/no/such/file", "/no/such/file"}).code == tool::kIo);
  CHECK(run({"doctor", "--data-dir", "/no/such/dir"}).code == tool::kIo);
  const Ran target = run({"channels", "--target", "http://127.0.0.1:1"});
  CHECK(target.code == tool::kRefused);
  CHECK(target.err.find("127.0.0.1:1") != std::string::npos);
  CHECK(target.out.empty());
}

TEST_CASE("a short run's report can be compared with itself") {
  test_support::TempDir dir;
  const Ran ran =
      run({"mix", "--rate", "200", "--duration", "500ms", "--warm-up", "50ms", "-o", "json"});
  REQUIRE(ran.code == tool::kFine);
  std::ofstream(dir / "a.json") << ran.out;
  const Ran compared = run({"compare", dir / "a.json", dir / "a.json"});
  CHECK(compared.code == tool::kFine);
  CHECK(compared.out.find("same") != std::string::npos);
  std::ofstream(dir / "cut.json") << ran.out.substr(0, ran.out.size() / 2);
  CHECK(run({"compare", dir / "cut.json", dir / "a.json"}).code == tool::kCorruptInput);
}

TEST_CASE("a program that is no member is told with its last words, and nothing is left behind") {
  test_support::TempDir dir;
  const Ran ran = run({"channels", "--against", "/bin/false", "--temp-dir", dir.path()});
  CHECK(ran.code == tool::kRefused);
  CHECK(ran.err.find("/bin/false ended") != std::string::npos);
  PosixFileSystem files;
  CHECK(files.list(dir.path()).value().empty());
}
