#include <cstdlib>
#include <fstream>
#include <set>

#include "support.h"
#include "truss/test_support/artefacts.h"
#include "truss/test_support/temp_dir.h"

// Every artefact of real etcd through the tool: text and JSON as in tests/boltctl/golden, which a
// run with TRUSS_REWRITE=1 writes anew, and the values of the manifest.
using namespace truss;
using namespace truss::bolttool::testing;

namespace {

const std::string kGolden = TRUSS_SOURCE_DIR "/tests/boltctl/golden/";

struct Artefact {
  std::string name;
  std::string file;  ///< unpacked
  const rapidjson::Value* want;
};

/// The single files, then the databases of whole directories.
std::vector<Artefact> all_artefacts() {
  std::vector<Artefact> out;
  for (const auto& a : test_support::artefacts().GetObject()) {
    if (!a.value.HasMember("db")) continue;
    const std::string file = a.value["file"].GetString();
    out.push_back({a.name.GetString(),
                   file.ends_with(".xz") ? test_support::unpacked(file)
                                         : test_support::artefact_dir() + "/" + file,
                   &a.value["db"]});
  }
  test_support::for_each_directory(
      test_support::artefacts(),
      [&](const std::string& artefact, const std::string& dir, const rapidjson::Value& want) {
        const std::string base = test_support::unpacked(artefact + ".tar.xz") + "/" + dir;
        out.push_back({artefact + "-" + dir, base, &want["db"]});
      });
  return out;
}

std::string without(std::string text, const std::string& path) {
  for (std::size_t at; (at = text.find(path)) != std::string::npos;)
    text.replace(at, path.size(), "FILE");
  return text;
}

void compare_golden(const std::string& name, const std::string& text) {
  const std::string path = kGolden + name;
  if (std::getenv("TRUSS_REWRITE") != nullptr) std::ofstream(path, std::ios::binary) << text;
  std::ifstream in(path, std::ios::binary);
  const std::string want{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  CHECK_MESSAGE(want == text, path, " differs; TRUSS_REWRITE=1 writes it anew");
}

rapidjson::Document json_of(const Artefact& a, const std::string& command) {
  PosixFileSystem fs;
  const Ran ran = run(fs, {command, a.file, "-o", "json"});
  REQUIRE(ran.code == 0);
  rapidjson::Document document;
  document.Parse(ran.out.c_str());
  REQUIRE(!document.HasParseError());
  return document;
}

void compare_info(const Artefact& a) {
  const auto info = json_of(a, "info");
  const auto& want = *a.want;
  CHECK(info["pageSize"].GetUint64() == want["page_size"].GetUint64());
  CHECK(info["highWater"].GetUint64() == want["high_water_pgid"].GetUint64());
  const std::uint64_t hash_bytes = a.name == "snapshot.db" ? 32 : 0;  // after the last page
  CHECK(info["fileBytes"].GetUint64() == want["file_bytes"].GetUint64() + hash_bytes);
  if (want.HasMember("root_pgid")) CHECK(info["root"].GetUint64() == want["root_pgid"].GetUint64());
  for (rapidjson::SizeType i = 0; i < 2; ++i) {
    CHECK(info["metas"][i]["txid"].GetUint64() == want["meta_txids"][i].GetUint64());
  }
  if (!info.HasMember("etcd") || !want.HasMember("revision")) return;
  const auto& etcd = info["etcd"];
  CHECK(etcd["revision"].GetInt64() == want["revision"].GetInt64());
  CHECK(etcd["consistentIndex"].GetUint64() == want["consistent_index"].GetUint64());
  if (want.HasMember("finishedCompactRev") && want["finishedCompactRev"].IsInt64()) {
    CHECK(etcd["compactRevision"].GetInt64() == want["finishedCompactRev"].GetInt64());
  }
  REQUIRE(etcd["members"].Size() == want["members"].Size());
  for (rapidjson::SizeType i = 0; i < want["members"].Size(); ++i) {
    CHECK(std::string(etcd["members"][i].GetString()) == want["members"][i].GetString());
  }
  CHECK(etcd["removedMembers"].Size() == want["members_removed"].Size());
}

void compare_stats(const Artefact& a) {
  const auto stats = json_of(a, "stats");
  const auto& want = *a.want;
  CHECK(stats["freePages"].GetUint64() == want["free_pages"].GetUint64());
  CHECK(stats["lostPages"].GetUint64() == 0);
  if (want.HasMember("reachable_pages")) {
    CHECK(stats["reachablePages"].GetUint64() == want["reachable_pages"].GetUint64());
  }
  std::size_t buckets = 0;
  const auto list = json_of(a, "buckets");
  for (const auto& row : list.GetArray()) {
    const std::string name = row["bucket"].GetString();
    const auto found = want["buckets"].FindMember(name.c_str());
    if (found == want["buckets"].MemberEnd()) continue;
    ++buckets;
    CAPTURE(name);
    CHECK(row["pairs"].GetUint64() + row["buckets"].GetUint64() ==
          found->value["entries"].GetUint64());
    CHECK(row["sequence"].GetUint64() == found->value["sequence"].GetUint64());
    if (found->value.HasMember("kind")) CHECK(row["kind"] == found->value["kind"]);
  }
  CHECK(buckets == want["buckets"].MemberCount());
}

std::string bytes_of(const std::string& path) {
  PosixFileSystem fs;
  return must(
      read_file(fs, exists(fs, path + "/member/snap/db") ? path + "/member/snap/db" : path));
}

}  // namespace

TEST_CASE("boltctl golden: artefacts of real etcd, text and JSON, and their manifest") {
  PosixFileSystem fs;
  std::size_t compared = 0;
  for (const Artefact& a : all_artefacts()) {
    CAPTURE(a.name);
    const Ran check = run(fs, {"check", a.file});
    CHECK(check.out == "OK\n");
    CHECK(check.code == 0);
    compare_info(a);
    compare_stats(a);
    for (const char* command : {"info", "stats", "buckets"}) {
      for (const char* form : {"text", "json", "table"}) {
        if (std::string(form) == "table" &&
            (a.name != "snapshot.db" || command == std::string("info")))
          continue;
        const Ran ran = run(fs, {command, a.file, "-o", form});
        compare_golden(a.name + "." + command + "." + form, without(ran.out, a.file));
      }
    }
    ++compared;
  }
  CHECK(compared >= 12);
}

TEST_CASE("boltctl golden: pairs and pages of the real snapshot") {
  PosixFileSystem fs;
  const std::string file = test_support::artefact_dir() + "/snapshot.db";
  const std::vector<std::vector<std::string>> lines = {
      {"keys", file},
      {"keys", file, "key", "--reverse", "--limit", "3"},
      {"dump", file},
      {"dump", file, "-o", "json"},
      {"dump", file, "lease", "--raw"},
      {"get", file, "meta", "consistent_index"},
      {"get", file, "meta", "consistent_index", "-o", "json"},
      {"pages", file},
      {"pages", file, "-o", "json"},
      {"page", file, "0", "2", "3", "--hex"},
  };
  std::string all;
  for (const auto& words : lines) {
    const Ran ran = run(fs, words);
    CHECK(ran.code == 0);
    std::string line = "$ boltctl";
    for (const std::string& word : words) line += " " + word;
    all += without(line + "\n" + ran.out + ran.err, file);
  }
  compare_golden("snapshot.db.session", all);
}

TEST_CASE("boltctl: commands that read leave every byte as it was") {
  test_support::TempDir dir;
  PosixFileSystem fs;
  for (const Artefact& a : all_artefacts()) {
    CAPTURE(a.name);
    const std::string before = bytes_of(a.file);
    if (before.size() > 10'000'000) continue;  // those take long
    for (const char* command : {"check", "info", "stats", "buckets", "keys", "dump", "pages"}) {
      const Ran ran = run(fs, {command, a.file});
      CHECK_MESSAGE(ran.code == 0, command, ran.err);
    }
    run(fs, {"compact", a.file, "--dry-run"});
    run(fs, {"compact", a.file});  // refused: no place for the result
    CHECK(bytes_of(a.file) == before);
  }
}
