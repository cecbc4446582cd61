#include "support.h"
#include "truss/common/testing/sim_file_system.h"

using namespace truss;
using namespace truss::bolt;
using namespace truss::bolt::testing;

TEST_CASE("bolt: pairs come back in the same and in the next transaction") {
  truss::testing::SimFileSystem fs;
  auto db = open_db(fs, "/db");
  {
    Tx tx = must(db->begin_write());
    Bucket b = must(tx.create_bucket("key"));
    must(b.put("b", "2"));
    must(b.put("a", "1"));
    must(b.put("empty", ""));
    must(b.put("b", "two"));
    CHECK(get(b, "a") == "1");
    CHECK(get(b, "b") == "two");
    must(tx.commit());
  }
  Tx tx = must(db->begin_read());
  Bucket b = bucket_of(tx, "key");
  CHECK(get(b, "a") == "1");
  CHECK(get(b, "b") == "two");
  CHECK(get(b, "empty") == "");
  CHECK(get(b, "absent") == "(none)");
}

TEST_CASE("bolt: a rolled back or dropped transaction leaves nothing") {
  truss::testing::SimFileSystem fs;
  auto db = open_db(fs, "/db");
  {
    Tx tx = must(db->begin_write());
    must(tx.create_bucket("a"));
    tx.rollback();
  }
  {
    Tx tx = must(db->begin_write());
    must(tx.create_bucket("b"));
  }
  Tx tx = must(db->begin_read());
  CHECK(!must(tx.bucket("a")));
  CHECK(!must(tx.bucket("b")));
}

TEST_CASE("bolt: keys and values outside the limits are refused") {
  truss::testing::SimFileSystem fs;
  auto db = open_db(fs, "/db");
  Tx tx = must(db->begin_write());
  Bucket b = must(tx.create_bucket("key"));
  CHECK(b.put("", "x").error().code == Code::kInvalidArgument);
  CHECK(b.put(std::string(32769, 'k'), "x").error().code == Code::kInvalidArgument);
  CHECK(b.put(std::string(32768, 'k'), "x").has_value());
  CHECK(b.create_bucket("").error().code == Code::kInvalidArgument);
  must(b.create_bucket("sub"));
  CHECK(b.put("sub", "x").error().code == Code::kInvalidArgument);
  CHECK(b.remove("sub").error().code == Code::kInvalidArgument);
  must(b.put("plain", "x"));
  CHECK(b.create_bucket("plain").error().code == Code::kInvalidArgument);
  CHECK(b.remove_bucket("plain").error().code == Code::kInvalidArgument);
  CHECK(b.remove_bucket("absent").error().code == Code::kNotFound);
  CHECK(b.create_bucket("sub").error().code == Code::kAlreadyExists);
  CHECK(b.remove("absent").has_value());
  CHECK(get(b, "sub") == "(none)");
  CHECK(!must(b.bucket("plain")));
}

TEST_CASE("bolt: a read transaction can't write") {
  truss::testing::SimFileSystem fs;
  auto db = open_db(fs, "/db");
  fill(*db, "key", 0, 1, "v");
  Tx tx = must(db->begin_read());
  Bucket b = bucket_of(tx, "key");
  CHECK(b.put("a", "1").error().code == Code::kFailedPrecondition);
  CHECK(b.remove(key_of(0)).error().code == Code::kFailedPrecondition);
  CHECK(b.set_sequence(3).error().code == Code::kFailedPrecondition);
  CHECK(tx.create_bucket("x").error().code == Code::kFailedPrecondition);
  CHECK(tx.create_bucket_if_absent("x").error().code == Code::kFailedPrecondition);
  CHECK(tx.remove_bucket("key").error().code == Code::kFailedPrecondition);
  CHECK(tx.commit().error().code == Code::kFailedPrecondition);
}

TEST_CASE("bolt: a bucket goes from inline to pages of its own and back") {
  truss::testing::SimFileSystem fs;
  auto db = open_db(fs, "/db");
  fill(*db, "key", 0, 3, "small");
  const auto small = db->stats().in_use_bytes;
  fill(*db, "key", 0, 300, "grown");
  CHECK(db->stats().in_use_bytes > small);
  check_sound(*db);
  {
    Tx tx = must(db->begin_write());
    Bucket b = bucket_of(tx, "key");
    for (int i = 2; i < 300; ++i) must(b.remove(key_of(i)));
    must(tx.commit());
  }
  must(must(db->begin_write()).commit());
  CHECK(db->stats().in_use_bytes == small);
  check_sound(*db);
  Tx tx = must(db->begin_read());
  CHECK(pairs_of(bucket_of(tx, "key")).size() == 2);
}

TEST_CASE("bolt: sequences are kept, inline and paged") {
  truss::testing::SimFileSystem fs;
  auto db = open_db(fs, "/db");
  fill(*db, "paged", 0, 500, "value");
  {
    Tx tx = must(db->begin_write());
    Bucket b = must(tx.create_bucket("inline"));
    CHECK(b.sequence() == 0);
    CHECK(must(b.next_sequence()) == 1);
    CHECK(must(b.next_sequence()) == 2);
    must(bucket_of(tx, "paged").set_sequence(77));
    must(tx.commit());
  }
  db.reset();
  db = open_db(fs, "/db");
  {
    Tx tx = must(db->begin_write());
    CHECK(bucket_of(tx, "inline").sequence() == 2);
    CHECK(bucket_of(tx, "paged").sequence() == 77);
    must(bucket_of(tx, "inline").set_sequence(9));
    must(tx.commit());
  }
  Tx tx = must(db->begin_read());
  CHECK(bucket_of(tx, "inline").sequence() == 9);
  CHECK(pairs_of(bucket_of(tx, "paged")).size() == 500);
}

TEST_CASE("bolt: buckets nest, and a removed one gives all its pages back") {
  truss::testing::SimFileSystem fs;
  auto db = open_db(fs, "/db");
  fill(*db, "key", 0, 1, "v");
  const auto before = db->stats().in_use_bytes;
  {
    Tx tx = must(db->begin_write());
    Bucket outer = must(tx.create_bucket("outer"));
    Bucket inner = must(outer.create_bucket("inner"));
    for (int i = 0; i < 1000; ++i) {
      must(outer.put("k" + key_of(i), "outer value"));
      must(inner.put(key_of(i), std::string(i % 50 == 0 ? 5000 : 10, 'x')));
    }
    must(must(inner.create_bucket("deepest")).put("a", "b"));
    must(tx.commit());
  }
  check_sound(*db);
  {
    Tx tx = must(db->begin_read());
    Bucket inner = *must(bucket_of(tx, "outer").bucket("inner"));
    CHECK(get(inner, key_of(50)).size() == 5000);
    CHECK(get(*must(inner.bucket("deepest")), "a") == "b");
  }
  {
    Tx tx = must(db->begin_write());
    Bucket outer = bucket_of(tx, "outer");
    must(outer.put("k1", "changed in the transaction that removes it"));
    must(must(outer.bucket("inner"))->put("more", "x"));
    must(tx.remove_bucket("outer"));
    CHECK(!must(tx.bucket("outer")));
    CHECK(outer.put("a", "b").error().code == Code::kFailedPrecondition);
    CHECK(get(outer, "k1") == "(none)");
    must(tx.commit());
  }
  must(must(db->begin_write()).commit());
  CHECK(db->stats().in_use_bytes == before);
  check_sound(*db);
}

TEST_CASE("bolt: a bucket removed and made again in one transaction is empty") {
  truss::testing::SimFileSystem fs;
  auto db = open_db(fs, "/db");
  fill(*db, "key", 0, 500, "old");
  {
    Tx tx = must(db->begin_write());
    must(tx.remove_bucket("key"));
    Bucket b = must(tx.create_bucket("key"));
    must(b.put("new", "v"));
    must(tx.commit());
  }
  Tx tx = must(db->begin_read());
  CHECK(pairs_of(bucket_of(tx, "key")) == std::map<std::string, std::string>{{"new", "v"}});
}

TEST_CASE("bolt: buckets nest 64 deep and no deeper") {
  truss::testing::SimFileSystem fs;
  auto db = open_db(fs, "/db");
  {
    Tx tx = must(db->begin_write());
    Bucket b = must(tx.create_bucket("0"));
    for (int i = 1; i < 64; ++i) b = must(b.create_bucket(std::to_string(i)));
    CHECK(b.create_bucket("64").error().code == Code::kInvalidArgument);
    must(b.put("deep", "down"));
    must(tx.commit());
  }
  db.reset();
  db = open_db(fs, "/db");
  check_sound(*db);
  Tx tx = must(db->begin_read());
  Bucket b = bucket_of(tx, "0");
  for (int i = 1; i < 64; ++i) b = *must(b.bucket(std::to_string(i)));
  CHECK(get(b, "deep") == "down");
}
