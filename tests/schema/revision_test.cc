#include "truss/schema/revision.h"

#include <doctest/doctest.h>

#include <string>

#include "truss/test_support/hex.h"

using namespace truss;
using schema::decode_revision;
using schema::Revision;
using schema::RevisionKey;

TEST_CASE("a revision key is etcd's, byte for byte") {
  CHECK(to_hex(RevisionKey({4, 0}).view()) == "00000000000000045f0000000000000000");
  CHECK(to_hex(RevisionKey({11, 1}, true).view()) == "000000000000000b5f000000000000000174");
}

TEST_CASE("revision keys round trip and sort as revisions do") {
  const Revision revisions[] = {{0, 0}, {1, 0}, {1, 1}, {255, 0}, {256, 7}, {INT64_MAX, INT64_MAX}};
  std::string previous;
  for (const Revision revision : revisions) {
    const std::string key(RevisionKey(revision).view());
    CHECK(previous < key);
    CHECK(decode_revision(key)->revision == revision);
    CHECK_FALSE(decode_revision(key)->tombstone);
    CHECK(decode_revision(RevisionKey(revision, true).view())->tombstone);
    previous = key;
  }
}

TEST_CASE("damaged revision keys are refused") {
  const std::string good(RevisionKey({4, 2}, true).view());
  for (std::size_t size = 0; size < 17; ++size) CHECK_FALSE(decode_revision(good.substr(0, size)));
  CHECK(decode_revision(good.substr(0, 17)));
  CHECK_FALSE(decode_revision(good + "t"));
  std::string bad = good;
  bad[8] = '-';
  CHECK_FALSE(decode_revision(bad));
  bad = good;
  bad[17] = 'x';
  CHECK_FALSE(decode_revision(bad));
  bad = good;
  bad[0] = static_cast<char>(0x80);
  CHECK(decode_revision(bad).error().code == Code::kCorruption);
}
