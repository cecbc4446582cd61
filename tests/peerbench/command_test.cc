#include <doctest/doctest.h>

#include <algorithm>
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

TEST_CASE("what no option takes is said in one line, with exit code 2, before anything starts") {
  const std::vector<std::vector<std::string>> bad = {
      {"channels", "--rate", "0"},
      {"channels", "--rate", "nan"},
      {"channels", "--rate", "1e300"},
      {"channels", "--rate", "-5"},
      {"channels", "--duration", "0s"},
      {"channels", "--warm-up", "soon"},
      {"channels", "--saturation", "5"},
      {"channels", "--append-bytes", "1048577"},
      {"channels", "--append-bytes", "-1"},
      {"channels", "--snapshot-size", "0"},
      {"channels", "--snapshot-rate", "fast"},
      {"channels", "--snapshots", "0"},
      {"channels", "--target", "10.0.0.1:2380"},
      {"channels", "--target", "https://10.0.0.1:2380"},
      {"channels", "--target", "http://10.0.0.1"},
      {"channels", "--target", "http://10.0.0.1:2380/x"},
      {"channels", "--target", "http://10.0.0.1:2380", "--self"},
      {"channels", "--limits", "--against", "etcd"},
      {"channels", "--self", "--against", "etcd"},
      {"channels", "--keep"},
      {"channels", "--temp-dir", "/tmp"},
      {"channels", "surplus"},
      {"channels", "-o", "xml"},
      {"heartbeat", "--interval", "10"},
      {"heartbeat", "--gaps", "19"},
      {"heartbeat", "--during-snapshot", "2TiB"},
      {"heartbeat", "--election-timeout", "never"},
      {"mix", "--rate", "inf"},
      {"mix", "--seed", "x"},
      {"mix", "--profile", "recorded"},
      {"mix", "--data-dir", "/tmp"},
      {"doctor", "--peers", "http://a:2380,b"},
      {"doctor", "--peers", ""},
      {"doctor", "--duration", "two"},
      {"compare", "one.json"},
      {"nothing"}};
  for (const auto& words : bad) {
    const Ran ran = run(words);
    std::string line;
    for (const std::string& word : words) line += word + " ";
    CAPTURE(line);
    CAPTURE(ran.err);
    CHECK(ran.code == tool::kUsage);
    CHECK(ran.out.empty());
    CHECK(ran.err.starts_with("peerbench"));
    CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') <= 2);  // the second: where help is
  }
}

TEST_CASE("absent files and programs with 3, refused ones with 5") {
  CHECK(run({"channels", "--against", "/no/such/program"}).code == tool::kIo);
  CHECK(run({"compare", "/no/such/file", "/no/such/file"}).code == tool::kIo);
  CHECK(run({"doctor", "--data-dir", "/no/such/dir"}).code == tool::kIo);
  CHECK(run({"mix", "--profile", "/no/such/file"}).code == tool::kIo);
  CHECK(run({"mix", "--profile", "recorded", "--data-dir", "/no/such/dir"}).code == tool::kIo);
  CHECK(run({"heartbeat", "--plot", "/no/such/dir/gaps.svg"}).code == tool::kIo);
  CHECK(run({"channels", "--against", "/bin/false", "--temp-dir", "/no/such/dir"}).code ==
        tool::kIo);
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

TEST_CASE("a report of every kind comes as text, table and JSON") {
  const std::vector<std::vector<std::string>> commands = {
      {"mix", "--rate", "100", "--duration", "200ms", "--warm-up", "20ms"},
      {"heartbeat", "--during-snapshot", "1MiB", "--gaps", "20", "--interval", "1ms"},
      {"doctor", "--duration", "50ms"}};
  for (const auto& command : commands) {
    for (const char* format : {"text", "table", "json"}) {
      std::vector<std::string> words = command;
      words.insert(words.end(), {"-o", format});
      const Ran ran = run(words);
      CAPTURE(ran.out);
      CHECK(ran.code <= tool::kFoundWrong);
      CHECK(ran.out.starts_with('{') == (std::string(format) == "json"));
      CHECK((ran.out.find("+--") != std::string::npos) == (std::string(format) == "table"));
      CHECK(ran.err.empty());
    }
  }
}

TEST_CASE("a program that is no member is told with its last words, and nothing is left behind") {
  test_support::TempDir dir;
  const Ran ran = run({"channels", "--against", "/bin/false", "--temp-dir", dir.path()});
  CHECK(ran.code == tool::kRefused);
  CHECK(ran.err.find("/bin/false ended") != std::string::npos);
  PosixFileSystem files;
  CHECK(files.list(dir.path()).value().empty());
}
