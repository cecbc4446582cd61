#include <algorithm>

#include "support.h"
#include "truss/common/testing/sim_file_system.h"

using namespace truss;
using namespace truss::bolt;
using namespace truss::bolt::testing;

namespace {

std::string at(Result<std::optional<KeyValue>> result) {
  const auto kv = must(std::move(result));
  return kv ? std::string(kv->key) : "(end)";
}

struct Fixture {
  truss::testing::SimFileSystem fs;
  std::unique_ptr<DB> db = open_db(fs, "/db", {.page_size = 1024});
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "bolt cursor: walks many levels both ways") {
  fill(*db, "key", 0, 5000, "some value of a few bytes");
  Tx tx = must(db->begin_read());
  Cursor c = bucket_of(tx, "key").cursor();
  int n = 0;
  for (auto kv = must(c.first()); kv; kv = must(c.next())) REQUIRE(kv->key == key_of(n++));
  CHECK(n == 5000);
  for (auto kv = must(c.last()); kv; kv = must(c.prev())) REQUIRE(kv->key == key_of(--n));
  CHECK(n == 0);
}

TEST_CASE_FIXTURE(Fixture, "bolt leaves: come in order, but for those that are known") {
  struct Reader final : LeafReader {
    Result<bool> known(std::uint64_t id) override {
      asked.push_back(id);
      return taken == asked.size();
    }
    Result<> pair(const KeyValue& pair) override {
      keys.emplace_back(pair.key);
      if (keys.size() == most) return fail(Code::kCanceled, "enough");
      return {};
    }
    std::vector<std::uint64_t> asked;
    std::vector<std::string> keys;
    std::size_t taken = 0;  // the page asked for at that place is known
    std::size_t most = 0;
  };
  fill(*db, "key", 0, 3000, "some value of a few bytes");
  fill(*db, "small", 0, 2, "v");  // inline
  Tx tx = must(db->begin_read());
  Reader all, small, stopped;
  must(bucket_of(tx, "key").read_leaves(all));
  REQUIRE(all.keys.size() == 3000);
  for (int i = 0; i < 3000; ++i) REQUIRE(all.keys[static_cast<std::size_t>(i)] == key_of(i));
  must(bucket_of(tx, "small").read_leaves(small));
  CHECK(small.keys.size() == 2);
  stopped.most = 10;
  CHECK(bucket_of(tx, "key").read_leaves(stopped).error().code == Code::kCanceled);
  for (std::size_t taken = 1; taken <= all.asked.size(); taken += 7) {
    Reader most;
    most.taken = taken;
    must(bucket_of(tx, "key").read_leaves(most));
    CHECK(most.keys.size() < 3000);  // that page, or all below it
    CHECK(std::is_sorted(most.keys.begin(), most.keys.end()));
  }
  Tx writing = must(db->begin_write());
  CHECK(!bucket_of(writing, "key").read_leaves(all));
}

TEST_CASE_FIXTURE(Fixture, "bolt cursor: seeks to the first key not below the target") {
  fill(*db, "key", 0, 2000, "v");
  Tx tx = must(db->begin_read());
  Cursor c = bucket_of(tx, "key").cursor();
  CHECK(at(c.seek("")) == key_of(0));
  CHECK(at(c.seek(key_of(777))) == key_of(777));
  CHECK(at(c.seek(key_of(777) + "!")) == key_of(778));
  CHECK(at(c.next()) == key_of(779));
  CHECK(at(c.prev()) == key_of(778));
  CHECK(at(c.prev()) == key_of(777));
  CHECK(at(c.seek("z")) == "(end)");
  CHECK(at(c.next()) == "(end)");
  CHECK(at(c.prev()) == key_of(1999));
  CHECK(at(c.next()) == "(end)");
}

TEST_CASE_FIXTURE(Fixture, "bolt cursor: fresh, and on an empty bucket") {
  {
    Tx tx = must(db->begin_write());
    Bucket b = must(tx.create_bucket("key"));
    Cursor c = b.cursor();
    CHECK(at(c.first()) == "(end)");
    CHECK(at(c.last()) == "(end)");
    CHECK(at(c.seek("a")) == "(end)");
    CHECK(c.remove().error().code == Code::kFailedPrecondition);
    must(tx.commit());
  }
  fill(*db, "key", 0, 3, "v");
  Tx tx = must(db->begin_read());
  Cursor forward = bucket_of(tx, "key").cursor();
  CHECK(at(forward.next()) == key_of(0));
  CHECK(at(forward.prev()) == "(end)");
  CHECK(at(forward.next()) == key_of(0));
  Cursor top = tx.cursor();
  CHECK(at(top.first()) == "key");
  CHECK(at(top.next()) == "(end)");
}

TEST_CASE_FIXTURE(Fixture, "bolt cursor: marks nested buckets") {
  Tx tx = must(db->begin_write());
  Bucket b = must(tx.create_bucket("key"));
  must(b.create_bucket("b"));
  must(b.put("a", "1"));
  Cursor c = b.cursor();
  CHECK(!must(c.first())->is_bucket);
  const auto nested = must(c.next());
  CHECK(nested->is_bucket);
  CHECK(nested->value.empty());
}

TEST_CASE_FIXTURE(Fixture, "bolt cursor: removing as it goes leaves the others") {
  fill(*db, "key", 0, 3000, "value value value");
  {
    Tx tx = must(db->begin_write());
    Cursor c = bucket_of(tx, "key").cursor();
    int n = 0;
    for (auto kv = must(c.first()); kv; kv = must(c.next()), ++n) {
      REQUIRE(kv->key == key_of(n));
      if (n % 10 != 0) must(c.remove());
    }
    CHECK(n == 3000);
    must(tx.commit());
  }
  check_sound(*db);
  Tx tx = must(db->begin_read());
  Cursor c = bucket_of(tx, "key").cursor();
  int n = 0;
  for (auto kv = must(c.first()); kv; kv = must(c.next()), n += 10) REQUIRE(kv->key == key_of(n));
  CHECK(n == 3000);
}

TEST_CASE_FIXTURE(Fixture, "bolt cursor: stays in place through any change of its bucket") {
  fill(*db, "key", 0, 100, "v");
  Tx tx = must(db->begin_write());
  Bucket b = bucket_of(tx, "key");
  Cursor c = b.cursor();
  CHECK(at(c.seek(key_of(50))) == key_of(50));
  for (int i = 100; i < 3000; ++i) must(b.put(key_of(i), "v"));
  must(b.put(key_of(50) + "a", "v"));
  CHECK(at(c.next()) == key_of(50) + "a");
  must(b.remove(key_of(50) + "a"));
  must(b.remove(key_of(50)));
  CHECK(at(c.prev()) == key_of(49));
  must(b.remove(key_of(49)));
  CHECK(at(c.next()) == key_of(51));
  must(tx.remove_bucket("key"));
  CHECK(c.next().error().code == Code::kFailedPrecondition);
}

TEST_CASE_FIXTURE(Fixture, "bolt cursor: views outlast the transaction's other changes") {
  fill(*db, "key", 0, 10, "first");
  Tx tx = must(db->begin_write());
  Bucket b = bucket_of(tx, "key");
  const ByteView old = *must(b.get(key_of(3)));
  must(b.put(key_of(3), "second"));
  const ByteView fresh = *must(b.get(key_of(3)));
  for (int i = 10; i < 5000; ++i) must(b.put(key_of(i), "v"));
  must(b.put(key_of(3), "third"));
  CHECK(old == "first");
  CHECK(fresh == "second");
}
