#include <rapidjson/document.h>

#include "damage.h"
#include "truss/test_support/artefacts.h"

// surgery, freelist, top, bench and plot.
using namespace truss;
using namespace truss::bolttool;
using namespace truss::bolttool::testing;
using truss::testing::SimFileSystem;

namespace {

void put_file(FileSystem& fs, const std::string& path, const std::string& bytes) {
  must(must(fs.open(path, {.write = true, .create = true}))->pwrite(bytes, 0));
}

/// A leaf of bucket `data`, and how many elements it has.
std::pair<std::uint64_t, std::uint32_t> some_leaf(FileSystem& fs, const std::string& path) {
  const Image image = must(Image::open(fs, path, {}));
  for (std::uint64_t id = 2; id < image.view().page_limit; ++id) {
    bolt::PageRef page;
    bolt::KeyValue kv;
    if (image.view().load(id, page) && page.leaf && page.count > 4 && page.pair(0, kv) &&
        !kv.is_bucket) {
      return {id, page.count};
    }
  }
  FAIL("no leaf");
  return {};
}

}  // namespace

TEST_CASE("boltctl surgery: elements taken out of a page are gone, all else is there") {
  SimFileSystem fs;
  put_file(fs, "/db", small_image(true));
  const Pairs before = pairs_in(fs, "/db");
  int cut_leaves = 0;
  const Image image = must(Image::open(fs, "/db", {}));
  for (std::uint64_t id = 2; id < image.view().page_limit; ++id) {
    const Ran ran = run(fs, {"surgery", "clear-elements", "/db", "--page", std::to_string(id),
                             "--first", "1", "--last", "3", "--to", "/cut", "--force"});
    if (ran.code != 0) continue;
    if (run(fs, {"check", "/cut"}).code != 0) continue;  // a branch: its children are lost
    const Pairs after = pairs_in(fs, "/cut");
    for (const auto& [key, value] : after) CHECK(before.at(key) == value);
    if (after.size() + 2 == before.size()) ++cut_leaves;
  }
  CHECK(cut_leaves > 0);
  CHECK(run(fs, {"surgery", "clear-elements", "/db", "--page", "900", "--first", "0", "--last", "1",
                 "--to", "/no"})
            .code == tool::kUsage);
}

TEST_CASE("boltctl surgery: the state before the last transaction") {
  SimFileSystem fs;
  {
    auto db = bolt::testing::open_db(fs, "/db");
    bolt::testing::fill(*db, "b", 0, 10, "old");
    bolt::testing::fill(*db, "b", 0, 10, "new");
  }
  REQUIRE(run(fs, {"surgery", "revert-meta", "/db", "--to", "/before"}).code == 0);
  CHECK(pairs_in(fs, "/before").at("b#000003") == "old");
  CHECK(pairs_in(fs, "/db").at("b#000003") == "new");
}

TEST_CASE("boltctl surgery: a page copied over a destroyed one") {
  SimFileSystem fs;
  std::string image = small_image(true);
  put_file(fs, "/sound", image);
  const auto [leaf, count] = some_leaf(fs, "/sound");
  const Pairs want = pairs_in(fs, "/sound");
  put_file(fs, "/db", image + std::string(1024, '\0'));
  const std::string spare = std::to_string(image.size() / 1024);
  REQUIRE(run(fs, {"surgery", "copy-page", "/db", "--from", std::to_string(leaf), "--onto", spare,
                   "--to", "/copy"})
              .code == 0);
  std::string copy = must(read_file(fs, "/copy"));
  copy.replace(leaf * 1024, 1024, std::string(1024, 'x'));
  put_file(fs, "/broken", copy);
  CHECK(run(fs, {"check", "/broken"}).code == 1);
  REQUIRE(run(fs, {"surgery", "copy-page", "/broken", "--from", spare, "--onto",
                   std::to_string(leaf), "--to", "/mended"})
              .code == 0);
  CHECK(run(fs, {"check", "/mended"}).code == 0);
  CHECK(pairs_in(fs, "/mended") == want);
}

TEST_CASE("boltctl surgery, freelist: abandoned, rebuilt, converted") {
  SimFileSystem fs;
  put_file(fs, "/db", small_image(false));
  const Pairs want = pairs_in(fs, "/db");
  const auto stored = [&](const std::string& path) {
    return must(Image::open(fs, path, {})).meta().freelist != bolt::kNoFreelist;
  };
  REQUIRE(stored("/db"));
  REQUIRE(run(fs, {"surgery", "abandon-freelist", "/db", "--to", "/none"}).code == 0);
  REQUIRE(run(fs, {"surgery", "rebuild-freelist", "/none", "--to", "/again"}).code == 0);
  REQUIRE(run(fs, {"freelist", "convert", "/again", "--form", "unsynced", "--to", "/un"}).code ==
          0);
  REQUIRE(run(fs, {"freelist", "convert", "/un", "--form", "synced", "--in-place"}).code == 0);
  CHECK(!stored("/none"));
  CHECK(stored("/again"));
  CHECK(stored("/un"));
  CHECK(!stored("/un.original"));
  for (const char* path : {"/none", "/again", "/un", "/un.original"}) {
    CHECK(run(fs, {"check", path}).code == 0);
    CHECK(pairs_in(fs, path) == want);
    CHECK(run(fs, {"freelist", "show", path}).code == 0);
  }
}

TEST_CASE("boltctl top: rows add up to the size of the file") {
  PosixFileSystem fs;
  for (const char* name : {"fragmented.db.xz", "freelist-synced.db", "snapshot.db"}) {
    const std::string packed(name);
    const std::string file = packed.ends_with(".xz") ? test_support::unpacked(packed)
                                                     : test_support::artefact_dir() + "/" + packed;
    for (const char* by : {"prefix", "bucket", "age", "versions"}) {
      CAPTURE(name);
      CAPTURE(by);
      const Ran ran = run(fs, {"top", file, "--by", by, "-o", "json"});
      REQUIRE(ran.code == 0);
      rapidjson::Document top;
      top.Parse(ran.out.c_str());
      REQUIRE(!top.HasParseError());
      std::uint64_t sum = 0;
      for (const auto& row : top["rows"].GetArray()) sum += row["bytes"].GetUint64();
      CHECK(sum == top["fileBytes"].GetUint64());
    }
  }
}

TEST_CASE("boltctl plot and bench: pictures and tables on a small run") {
  SimFileSystem fs;
  put_file(fs, "/db", small_image(true));
  REQUIRE(run(fs, {"plot", "/db", "--to", "/map.svg"}).code == 0);
  CHECK(must(read_file(fs, "/map.svg")).ends_with("</svg>\n"));
  CHECK(run(fs, {"plot", "/db", "--to", "/map.svg"}).code == tool::kRefused);
  const Ran bench = run(fs, {"bench", "/", "--commits", "40", "--keys", "200", "--hold", "10",
                             "--windows", "4", "--svg", "/run.svg", "-o", "json"});
  REQUIRE_MESSAGE(bench.code == 0, bench.err);
  rapidjson::Document rows;
  rows.Parse(bench.out.c_str());
  CHECK(rows.GetArray().Size() == 8);
  CHECK(exists(fs, "/run.on.svg"));
  CHECK(!exists(fs, "/boltctl-bench.db"));
  const Ran map = run(fs, {"bench", "/", "--map-populate=both", "--keys", "500", "--reads", "20"});
  CHECK_MESSAGE(map.code == 0, map.err);
}
