#include <rapidjson/document.h>
#include <stdlib.h>

#include "support.h"
#include "truss/common/coding.h"
#include "truss/common/crc32c.h"

// Files that real etcd 3.4.23 and bbolt 1.3.6 wrote, against the values of their manifest.
using namespace truss;
using namespace truss::bolt;
using namespace truss::bolt::testing;

namespace {

const std::string kData = TRUSS_SOURCE_DIR "/tests/data/etcd-3.4.23/";

const rapidjson::Document& manifest() {
  static const rapidjson::Document document = [] {
    PosixFileSystem fs;
    rapidjson::Document d;
    d.Parse(must(read_file(fs, kData + "manifest.json")).c_str());
    REQUIRE(!d.HasParseError());
    return d;
  }();
  return document;
}

void run(const std::string& command) {
  INFO(command);
  REQUIRE(std::system(command.c_str()) == 0);
}

/// Copies the file (unpacked if need be) into `dir`, where it may be changed.
std::string unpack(const TempDir& dir, const std::string& name) {
  const std::string out = dir.file("db");
  const bool packed = name.size() > 3 && name.substr(name.size() - 3) == ".xz";
  run((packed ? "xz -dc " : "cat ") + kData + name + " > " + out);
  return out;
}

void compare_buckets(Tx& tx, const rapidjson::Value& want) {
  std::size_t count = 0;
  Cursor top = tx.cursor();
  for (auto kv = must(top.first()); kv; kv = must(top.next()), ++count) {
    const std::string name(kv->key);
    INFO("bucket " << name);
    REQUIRE(want.HasMember(name.c_str()));
    const auto& expected = want[name.c_str()];
    Bucket b = bucket_of(tx, name);
    CHECK(pairs_of(b).size() == expected["entries"].GetUint64());
    CHECK(b.sequence() == expected["sequence"].GetUint64());
  }
  CHECK(count == want.MemberCount());
}

void compare_counts(DB& db, Tx& tx, const rapidjson::Value& want, bool after_open_commit) {
  CHECK(db.page_size() == want["page_size"].GetUint());
  const auto& txids = want["meta_txids"];
  const std::uint64_t newest = std::max(txids[0].GetUint64(), txids[1].GetUint64());
  if (after_open_commit) return;
  CHECK(tx.id().value() == newest);
  CHECK(tx.size_bytes() == want["high_water_pgid"].GetUint64() * db.page_size());
}

/// Opens the file in both ways and compares it with the manifest.
void compare(const std::string& file, const rapidjson::Value& want) {
  PosixFileSystem fs;
  CHECK(must(fs.stat(file)).size >= want["high_water_pgid"].GetUint64() * 1024);
  for (const bool read_only : {true, false}) {
    auto db = open_db(fs, file, {.read_only = read_only});
    check_sound(*db);
    Tx tx = must(db->begin_read());
    compare_counts(*db, tx, want, false);
    compare_buckets(tx, want["buckets"]);
    if (!read_only) CHECK(db->stats().free_pages == want["free_pages"].GetUint64());
  }
}

}  // namespace

TEST_CASE("bolt golden: single files") {
  for (const char* name :
       {"fragmented.db", "freelist-synced.db", "freelist-overflow-1k.db", "snapshot.db"}) {
    CAPTURE(name);
    TempDir dir;
    const auto& artefact = manifest()["artefacts"][name];
    compare(unpack(dir, artefact["file"].GetString()), artefact["db"]);
  }
}

TEST_CASE("bolt golden: the databases of whole data directories") {
  int compared = 0;
  for (const auto& artefact : manifest()["artefacts"].GetObject()) {
    if (!artefact.value.HasMember("dirs")) continue;
    TempDir dir;
    run("tar -xJf " + kData + artefact.value["file"].GetString() + " -C " + dir.path);
    for (const auto& member : artefact.value["dirs"].GetObject()) {
      const std::string name(member.name.GetString());
      CAPTURE(name);
      const std::string file =
          dir.file(name + (exists(dir.fs, dir.file(name + "/member")) ? "/member/snap/db" : ""));
      REQUIRE(exists(dir.fs, file));
      compare(file, member.value["db"]);
      ++compared;
    }
  }
  CHECK(compared >= 9);
}

TEST_CASE("bolt golden: nested buckets, sequence and empty value of a 1 KiB-page file") {
  TempDir dir;
  const std::string file = unpack(dir, "freelist-overflow-1k.db.xz");
  auto db = open_db(dir.fs, file, {.no_freelist_sync = false});
  Tx tx = must(db->begin_read());
  Bucket left = bucket_of(tx, "left");
  CHECK(left.sequence() == 77);
  const auto nested = must(left.bucket("nested"));
  REQUIRE(nested.has_value());
  std::size_t empty_values = 0;
  for (const auto& [key, value] : pairs_of(left)) empty_values += value.empty();
  for (const auto& [key, value] : pairs_of(*nested)) empty_values += value.empty();
  CHECK(empty_values >= 1);
}

TEST_CASE("bolt golden: files go on being written, in every freelist form") {
  for (const char* name :
       {"fragmented.db.xz", "freelist-synced.db", "freelist-overflow-1k.db.xz"}) {
    for (const bool unsynced : {false, true}) {
      CAPTURE(name);
      TempDir dir;
      const std::string file = unpack(dir, name);
      std::uint64_t size = 0;
      {
        auto db = open_db(dir.fs, file, {.no_freelist_sync = unsynced});
        size = db->stats().size_bytes;
        for (int round = 0; round < 5; ++round) fill(*db, "ours", 0, 300, std::to_string(round));
        check_sound(*db);
        if (size > 1 << 20) CHECK(db->stats().size_bytes <= size + 1024 * 600);
      }
      auto db = open_db(dir.fs, file, {.no_freelist_sync = !unsynced});
      check_sound(*db);
      Tx tx = must(db->begin_read());
      CHECK(get(bucket_of(tx, "ours"), key_of(299)) == "4");
    }
  }
}

TEST_CASE("bolt golden: the hash that etcdctl prints for the snapshot") {
  TempDir dir;
  auto db = open_db(dir.fs, unpack(dir, "snapshot.db"), {.read_only = true});
  Tx tx = must(db->begin_read());
  const auto& want = manifest()["artefacts"]["snapshot.db"]["expect"]["etcdctl_status"];
  std::uint32_t hash = 0;
  std::uint64_t total = 0;
  Cursor top = tx.cursor();
  for (auto name = must(top.first()); name; name = must(top.next())) {
    hash = crc32c(name->key, hash);
    Cursor pairs = bucket_of(tx, name->key).cursor();
    for (auto kv = must(pairs.first()); kv; kv = must(pairs.next()), ++total) {
      hash = crc32c(kv->value, crc32c(kv->key, hash));
    }
  }
  CHECK(hash == want["hash"].GetUint());
  CHECK(total == want["totalKey"].GetUint64());
  CHECK(tx.size_bytes() == want["totalSize"].GetUint64());
}
