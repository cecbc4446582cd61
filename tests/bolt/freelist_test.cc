#include "freelist.h"

#include "support.h"
#include "truss/bolt/freelist_page.h"

using namespace truss::bolt;

namespace {

using Readers = std::vector<std::uint64_t>;

std::vector<std::uint64_t> ids(const Freelist& list) {
  std::vector<std::uint64_t> out;
  for (const Run run : list.all_runs()) {
    for (std::uint64_t i = 0; i < run.count; ++i) out.push_back(run.first + i);
  }
  return out;
}

}  // namespace

TEST_CASE("bolt free spans: array takes the lowest run, hash map the best fitting") {
  for (const auto type : {FreelistType::kArray, FreelistType::kHashMap}) {
    FreeSpans spans(type);
    spans.add({10, 5});
    spans.add({30, 2});
    spans.add({20, 3});
    CHECK(spans.take(2) == (type == FreelistType::kArray ? 10 : 30));
    CHECK(spans.take(6) == std::nullopt);
    CHECK(spans.count() == 8);
  }
}

TEST_CASE("bolt free spans: neighbours grow together") {
  FreeSpans spans(FreelistType::kHashMap);
  spans.add({10, 2});
  spans.add({14, 2});
  CHECK(spans.take(6) == std::nullopt);
  spans.add({12, 2});
  CHECK(spans.take(6) == 10);
  CHECK(spans.count() == 0);
}

TEST_CASE("bolt freelist: freed pages come back when no reader sees them") {
  Freelist list(FreelistType::kHashMap, 20);
  REQUIRE(list.free({5, 1}));
  list.commit(7, Readers{});
  list.release(Readers{6});
  CHECK(list.free_count() == 0);
  CHECK(list.pending_count() == 1);
  list.release(Readers{7});
  CHECK(list.free_count() == 1);
  CHECK(list.pending_count() == 0);
  CHECK(list.allocate(1) == 5);
  CHECK(list.allocate(1) == 20);
  CHECK(list.high_water() == 21);
}

TEST_CASE("bolt freelist: a page that lived between two readers is free though both stay") {
  Freelist list(FreelistType::kArray, 20);
  CHECK(list.allocate(1) == 20);
  list.commit(7, Readers{5});
  REQUIRE(list.free({20, 1}));
  REQUIRE(list.free({9, 1}));
  list.commit(9, Readers{5});
  list.release(Readers{5, 9});
  CHECK(list.free_count() == 1);  // 20: allocated by 7, freed by 9; nobody is on 7 or 8
  CHECK(list.pending_count() == 1);
  CHECK(list.allocate(1) == 20);
}

TEST_CASE("bolt freelist: a run waits for each of its readers in turn") {
  Freelist list(FreelistType::kArray, 20);
  REQUIRE(list.free({9, 2}));
  list.commit(9, Readers{3, 8});
  list.release(Readers{3, 8});
  CHECK(list.free_count() == 0);
  list.release(Readers{3});
  CHECK(list.free_count() == 0);
  list.release(Readers{12});
  CHECK(list.free_count() == 2);
}

TEST_CASE("bolt freelist: rollback restores everything") {
  Freelist list(FreelistType::kHashMap, 20);
  REQUIRE(list.load({4, 3}));
  REQUIRE(list.free({10, 2}));
  CHECK(list.allocate(2) == 4);
  CHECK(list.allocate(9) == 20);
  list.rollback();
  CHECK(list.free_count() == 3);
  CHECK(list.pending_count() == 0);
  CHECK(list.high_water() == 20);
  CHECK(ids(list) == std::vector<std::uint64_t>{4, 5, 6});
  CHECK(!list.is_free(10));
  CHECK(list.free({10, 2}));
}

TEST_CASE("bolt freelist: a page can't be freed twice, nor outside the file") {
  Freelist list(FreelistType::kHashMap, 20);
  REQUIRE(list.load({4, 1}));
  CHECK(!list.load({4, 1}));
  CHECK(!list.free({3, 2}));
  CHECK(list.free({3, 1}));
  CHECK(!list.free({3, 1}));
  CHECK(!list.free({1, 1}));
  CHECK(!list.free({19, 2}));
  CHECK(!list.free({20, 1}));
  CHECK(!list.free({~std::uint64_t{0}, 1}));
}

TEST_CASE("bolt freelist page: short and long form, at the threshold") {
  CHECK(freelist_bytes(65534) == 16 + 8 * 65534);
  CHECK(freelist_bytes(65535) == 16 + 8 * 65536);
  for (const std::uint64_t count : {0, 1, 65534, 65535, 70000}) {
    const std::uint64_t pages = freelist_pages(count, 1024);
    const std::uint64_t limit = 2 + pages;
    std::string file(limit * 1024, '\0');
    std::vector<Run> runs;
    if (count > 0) runs.push_back({1000, count - 1});
    if (count > 0) runs.push_back({900000, 1});
    encode_freelist(runs, {2, pages}, file.data() + 2 * 1024);
    const std::string path = "mem";
    View view{nullptr, file.data(), 1024, limit, &path};
    const auto read = read_freelist(view, 2);
    REQUIRE(read.has_value());
    CHECK(read->pages.count == pages);
    REQUIRE(read->ids.size() == count);
    if (count > 0) CHECK(read->ids.back() == 900000);
    if (count > 1) CHECK(read->ids[count - 2] == 1000 + count - 2);
  }
}

TEST_CASE("bolt freelist page: lengths that lie are refused") {
  std::string file(4 * 1024, '\0');
  const std::string path = "mem";
  View view{nullptr, file.data(), 1024, 4, &path};
  encode_freelist({{3, 1}}, {2, 1}, file.data() + 2048);
  CHECK(read_freelist(view, 2).has_value());
  CHECK(!read_freelist(view, 3).has_value());
  CHECK(!read_freelist(view, 4).has_value());
  truss::store_le<std::uint16_t>(file.data() + 2048 + 10, 200);
  CHECK(read_freelist(view, 2).error().code == truss::Code::kCorruption);
  truss::store_le<std::uint16_t>(file.data() + 2048 + 10, 0xFFFF);
  truss::store_le<std::uint64_t>(file.data() + 2048 + 16, ~std::uint64_t{0});
  CHECK(read_freelist(view, 2).error().code == truss::Code::kCorruption);
  truss::store_le<std::uint16_t>(file.data() + 2048 + 10, 1);
  truss::store_le<std::uint32_t>(file.data() + 2048 + 12, 2);
  CHECK(read_freelist(view, 2).error().code == truss::Code::kCorruption);
}
