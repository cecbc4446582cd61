#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "commands.h"
#include "stream_decoder.h"
#include "truss/test_support/artefacts.h"
#include "truss/test_support/tool_documents.h"

using namespace truss;
using rapidjson::Document;
using rapidjson::Value;

namespace {

struct Run {
  int code = 0;
  std::string out;
  std::string err;
};

walctl::Environment environment() {
  static PosixFileSystem files;
  static tool::PosixNames names;
  static SystemClock clock;
  static SystemProcess process;
  return {files, names, clock, process, [](Duration) { FAIL("nothing here waits"); }};
}

Run run(const std::vector<std::string>& words) {
  std::ostringstream out;
  std::ostringstream err;
  tool::Console console{out, err};
  const int code = walctl::run(environment(), words, console);
  return {code, out.str(), err.str()};
}

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// Compares with tests/walctl/golden/NAME; TRUSS_REWRITE=1 writes it anew, to be reviewed.
void check_golden(const std::string& name, const std::string& text) {
  const std::string path = TRUSS_SOURCE_DIR "/tests/walctl/golden/" + name;
  if (std::getenv("TRUSS_REWRITE") != nullptr) std::ofstream(path, std::ios::binary) << text;
  CHECK_MESSAGE(read(path) == text, path, " differs");
}

/// Every file's size, times and mode.
std::string state_of(const std::string& dir) {
  std::string out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir)) {
    struct stat info {};
    REQUIRE(::lstat(entry.path().c_str(), &info) == 0);
    out += entry.path().string() + " " + std::to_string(info.st_size) + " " +
           std::to_string(info.st_mtim.tv_sec) + "." + std::to_string(info.st_mtim.tv_nsec) + " " +
           std::to_string(info.st_ctim.tv_sec) + "." + std::to_string(info.st_ctim.tv_nsec) + " " +
           std::to_string(info.st_mode) + "\n";
  }
  return out;
}

Document parsed(const std::string& json) {
  Document out;
  out.Parse(json.c_str());
  REQUIRE_FALSE(out.HasParseError());
  return out;
}

/// Numbers, texts, lists of numbers.
bool same(const Value& a, const Value& b) {
  if (a.IsUint64() && b.IsUint64()) return a.GetUint64() == b.GetUint64();
  if (a.IsString() && b.IsString()) return std::string(a.GetString()) == b.GetString();
  if (!a.IsArray() || !b.IsArray() || a.Size() != b.Size()) return false;
  for (unsigned i = 0; i < a.Size(); ++i)
    if (!same(a[i], b[i])) return false;
  return true;
}

void check_info(const Value& info, const Value& wal) {
  CHECK(std::string(info["memberId"].GetString()) == wal["metadata"]["node_id"].GetString());
  CHECK(std::string(info["clusterId"].GetString()) == wal["metadata"]["cluster_id"].GetString());
  const Value& segments = wal["segments"];
  REQUIRE(info["segments"].Size() == segments.Size());
  bool damaged = false;
  for (unsigned i = 0; i < segments.Size(); ++i) {
    CHECK(same(info["segments"][i]["name"], segments[i]["name"]));
    CHECK(same(info["segments"][i]["fileBytes"], segments[i]["file_bytes"]));
    damaged |= !segments[i]["first_bad_record_offset"].IsNull();
    if (damaged) continue;
    CHECK(same(info["segments"][i]["records"], segments[i]["records"]));
    CHECK(same(info["segments"][i]["usedBytes"], segments[i]["valid_bytes"]));
    CHECK(same(info["segments"][i]["crcAtEnd"], segments[i]["rolling_crc_at_end"]));
  }
  if (damaged) return;  // the manifest stops where etcd's reader does
  CHECK(same(info["term"], wal["hard_state"]["term"]));
  CHECK(same(info["vote"], wal["hard_state"]["vote"]));
  CHECK(same(info["commit"], wal["hard_state"]["commit"]));
  CHECK(same(info["lastIndex"], wal["last_entry"]["index"]));
  CHECK(same(info["lastTerm"], wal["last_entry"]["term"]));
  CHECK(same(info["entryRecords"], wal["entry_records"]));
  CHECK(same(info["confChangeIndexes"], wal["confchange_indexes"]));
  for (unsigned i = 0; i < wal["snapshot_records_index_term"].Size(); ++i) {
    CHECK(same(info["snapshotRecords"][i]["index"], wal["snapshot_records_index_term"][i][0]));
    CHECK(same(info["snapshotRecords"][i]["term"], wal["snapshot_records_index_term"][i][1]));
  }
}

}  // namespace

TEST_CASE("golden: the artefacts of real etcd, as text and JSON, with their manifest's values") {
  test_support::for_each_directory(
      test_support::artefacts(),
      [](const std::string& artefact, const std::string& dir, const Value& entry) {
        CAPTURE(artefact);
        CAPTURE(dir);
        const std::string path = test_support::unpacked(artefact + ".tar.xz") + "/" + dir;
        const std::string before = state_of(path);
        const std::string name = artefact + "-" + dir;
        const bool short_log = artefact == "restored" || artefact == "cluster3-removed-member";
        for (const char* command : {"info", "fsck", "verify", "dump"}) {
          if (command == std::string("dump") && !short_log) continue;
          const Run text = run({command, path});
          const Run json = run({command, path, "-o", "json"});
          CHECK(text.code == json.code);
          CHECK(text.err.empty());
          check_golden(name + "." + command + ".txt", text.out);
          check_golden(name + "." + command + ".json", json.out);
          if (std::string(command) == "info") check_info(parsed(json.out), entry["wal"]);
        }
        run({"top", path});
        run({"log", path, "--key", "a"});
        run({"history", path, "a"});
        run({"survey", path});
        run({"repair", "--dry-run", path});
        if (short_log) run({"dump", "--raw", path});
        CHECK(state_of(path) == before);
      });
}

TEST_CASE("golden: the verdicts of the damaged artefacts") {
  const auto verdict = [](const std::string& artefact, const char* dir) {
    const Run result =
        run({"fsck", "-o", "json", test_support::unpacked(artefact + ".tar.xz") + "/" + dir});
    return std::string(parsed(result.out)["verdict"].GetString()) + " " +
           std::to_string(result.code);
  };
  CHECK(verdict("single", "s1.etcd") == "CLEAN 0");
  CHECK(verdict("segments2", "seg.etcd") == "CLEAN 0");
  CHECK(verdict("cluster3-removed-member", "c4.etcd") == "CLEAN 0");
  CHECK(verdict("bitflip-middle", "s1.etcd") == "COVERED 11");
  CHECK(verdict("torn-tail-sector", "s1.etcd") == "SAFE-TRIM 10");
  CHECK(verdict("torn-tail-truncated", "s1.etcd") == "SAFE-TRIM 10");
}

TEST_CASE("golden: manual and completions in the tree are those of the commands") {
  test_support::check_tool_documents(walctl::Commands(environment()).root(),
                                     TRUSS_SOURCE_DIR "/docs/");
}

TEST_CASE("commands: what is wrong ends with the right code") {
  CHECK(run({"fsck"}).code == 2);
  CHECK(run({"fsck", "/nowhere"}).code == 3);
  CHECK(run({"dump", "/nowhere", "--entry-type", "Odd"}).code == 2);
  CHECK(run({"repair", "/nowhere"}).code == 3);
}

TEST_CASE("dump: a program decodes each entry") {
  const std::string dir = test_support::unpacked("single.tar.xz") + "/s1.etcd";
  const std::string decoder = TRUSS_SOURCE_DIR "/tests/walctl/length-decoder";
  const Run text =
      run({"dump", "--start-index", "4", "--end-index", "6", "--stream-decoder", decoder, dir});
  CHECK_MESSAGE(text.code == 0, text.err);
  CHECK_MESSAGE(text.out.find(" digits\n") != std::string::npos, text.out);
  const Run json = run({"dump", "-o", "json", "--start-index", "4", "--end-index", "5",
                        "--stream-decoder", decoder, dir});
  const Document entry = parsed(json.out);
  CHECK(std::string(entry["decoderStatus"].GetString()) == "OK");
  CHECK(std::string(entry["decodedData"].GetString()) ==
        std::to_string(entry["bytes"].GetUint64() * 2) + " digits");
  CHECK(run({"dump", "--stream-decoder", "/bin/true", dir}).code != 0);
  CHECK(run({"dump", "--stream-decoder", "/nowhere/decoder", dir}).code == 3);
}

TEST_CASE("dump: a decoder's line is taken apart as etcd-dump-logs does it") {
  CHECK(walctl::parse_decoder_line("OK|some data").status == "OK");
  CHECK(walctl::parse_decoder_line("OK|some data").data == "some data");
  CHECK(walctl::parse_decoder_line("no bar").data == "no bar");
  CHECK(walctl::parse_decoder_line("OK|a|b").data == "ab");
  CHECK(walctl::parse_decoder_line("OK|a|b").status.starts_with("OK(*WARNING"));
}

TEST_CASE("remember: what it is given is checked, and a dry run changes nothing") {
  const std::string dir = test_support::unpacked("single.tar.xz") + "/s1.etcd";
  const std::string before = state_of(dir);
  CHECK(run({"remember", dir}).code == 2);
  CHECK(run({"remember", "--members", "s1", dir}).code == 2);
  CHECK(run({"remember", "--members", "s1=ftp://a:1", dir}).code == 2);
  CHECK(run({"remember", "--members", "a=http://a:1,b=http://b:1", dir}).code == 2);
  CHECK(run({"remember", "--members", "a=http://a:1,b=http://a:1", "--name", "a", dir}).code == 2);
  const Run dry = run({"remember", "-o", "json", "-n", "--members", "a=http://a:1,b=http://b:1",
                       "--name", "b", dir});
  CHECK_MESSAGE(dry.code == 0, dry.err);
  const Document plan = parsed(dry.out);
  CHECK_FALSE(plan["done"].GetBool());
  CHECK(plan["members"].Size() == 2);
  CHECK(state_of(dir) == before);
}
