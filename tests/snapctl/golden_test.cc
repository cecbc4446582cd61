#include <doctest/doctest.h>

#include <cstdlib>
#include <sstream>

#include "commands.h"
#include "small_db.h"
#include "truss/test_support/artefacts.h"
#include "truss/test_support/temp_dir.h"
#include "truss/test_support/tool_documents.h"

using namespace truss;
using snaptool_test::contents;
using snaptool_test::write_file;

namespace {

PosixFileSystem disk;
const std::string kGolden = TRUSS_SOURCE_DIR "/tests/snapctl/golden/";

std::string without(std::string text, const std::string& prefix) {
  for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix)) {
    text.erase(at, prefix.size());
  }
  return text;
}

/// What a command prints: `$ command`, both streams, and the exit code unless it is 0.
std::string transcript(const std::vector<std::string>& words, const std::string& hidden) {
  std::ostringstream out, err;
  tool::Console console{out, err};
  snapctl::Commands commands(disk);
  const int code = tool::run_tool(commands.root(), words, console);
  std::string text = "$ snapctl";
  for (const std::string& word : words) text += " " + word;
  text += "\n" + out.str() + err.str();
  if (code != 0) text += "exit code " + std::to_string(code) + "\n";
  return without(text, hidden);
}

/// Compares with golden/NAME; TRUSS_REWRITE=1 writes it anew.
void check_golden(const std::string& name, const std::string& text) {
  if (std::getenv("TRUSS_REWRITE") != nullptr) write_file(kGolden + name, text);
  CHECK_MESSAGE(contents(kGolden + name) == text, name, " differs from:\n", text);
}

/// What the reading commands say of one file, in the given form.
std::string all_of(const std::string& file, const std::string& form, bool hashed,
                   const std::string& hidden) {
  std::string text = transcript({"status", file, "-o", form}, hidden);
  text += transcript({"hashkv", file, "-o", form}, hidden);
  std::vector<std::string> verify = {"verify", file, "-o", form};
  if (!hashed) verify.push_back("--skip-hash-check");
  return text + transcript(verify, hidden);
}

void check_file(const std::string& name, const std::vector<std::string>& files, bool hashed,
                const std::string& hidden) {
  for (const std::string form : {"text", "json"}) {
    std::string text;
    for (const std::string& file : files) text += all_of(file, form, hashed, hidden);
    check_golden(name + "." + form, text);
  }
}

}  // namespace

TEST_CASE("what snapctl says of every artefact of real etcd") {
  for (const auto& artefact : test_support::artefacts().GetObject()) {
    const std::string name = artefact.name.GetString();
    const std::string file = artefact.value["file"].GetString();
    const auto dirs = artefact.value.FindMember("dirs");
    if (dirs == artefact.value.MemberEnd()) {
      const std::string path = file.ends_with(".xz") ? test_support::unpacked(file)
                                                     : test_support::artefact_dir() + "/" + file;
      check_file(name, {path}, name == "snapshot.db", parent_path(path) + "/");
      continue;
    }
    std::vector<std::string> paths;
    const std::string root = test_support::unpacked(file) + "/";
    for (const auto& dir : dirs->value.GetObject()) paths.push_back(root + dir.name.GetString());
    check_file(name, paths, false, root);
  }
}

TEST_CASE("status draws the box of etcdctl") {
  const std::string path = test_support::artefact_dir() + "/snapshot.db";
  CHECK(transcript({"status", path, "-o", "table"}, test_support::artefact_dir() + "/") ==
        "$ snapctl status snapshot.db -o table\n"
        "+----------+----------+------------+------------+\n"
        "|   HASH   | REVISION | TOTAL KEYS | TOTAL SIZE |\n"
        "+----------+----------+------------+------------+\n"
        "| e322c7b4 |      271 |        178 |      41 kB |\n"
        "+----------+----------+------------+------------+\n");
}

TEST_CASE("keys of a damaged snapshot are not shown, unless told to") {
  test_support::TempDir dir;
  std::string bytes = contents(test_support::artefact_dir() + "/snapshot.db");
  const std::size_t value = bytes.find("value-2");
  REQUIRE(value != std::string::npos);
  bytes[value] = 'V';
  write_file(dir / "s", bytes);
  const std::string refused = transcript({"extract", dir / "s", "--key", "key/002"}, dir.path());
  CHECK(refused.find("expected sha256") != std::string::npos);
  CHECK(refused.find("exit code 4") != std::string::npos);
  CHECK(transcript({"diff", dir / "s", dir / "s"}, dir.path()).find("exit code 4") !=
        std::string::npos);
  CHECK(transcript({"extract", dir / "s", "--key", "key/002", "--skip-hash-check"}, dir.path()) ==
        "$ snapctl extract /s --key key/002 --skip-hash-check\nkey/002\nValue-2\n");
}

TEST_CASE("manual and completions in docs/ are those of the commands") {
  snapctl::Commands commands(disk);
  test_support::check_tool_documents(commands.root(), TRUSS_SOURCE_DIR "/docs/");
}
