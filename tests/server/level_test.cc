#include "level.h"

#include <doctest/doctest.h>

#include "publisher.h"

using namespace truss;
using namespace truss::server;

namespace {

Result<CompatLevel> level_of_db(const std::string& cluster_version, bool since_35,
                                std::optional<CompatLevel> wanted = {}) {
  DbFacts db;
  db.membership.cluster_version = cluster_version;
  if (since_35) db.meta.conf_state.emplace();
  return decide_level(wanted, db, "", "db");
}

raft::Entry version_entry(std::uint64_t index, const char* version) {
  return {raft::Term{2}, raft::Index{index}, raft::EntryType::kNormal,
          encode_legacy_put(7, "/0/version", version)};
}

}  // namespace

TEST_CASE("a directory's cluster version decides its level") {
  CHECK(level_of_db("3.4.0", false) == CompatLevel::k34);
  CHECK(level_of_db("3.5.0", true) == CompatLevel::k35);
  CHECK(level_of_db("3.5.0", true, CompatLevel::k36) == CompatLevel::k36);
  CHECK(!level_of_db("3.6.0", true, CompatLevel::k34));
  CHECK(!level_of_db("3.8.0", true));
  CHECK(level_of_db("", true) == kDefaultLevel);
}

TEST_CASE("a version agreed on while a member was silent says nothing about the level") {
  CHECK(level_of_db("3.0.0", true) == kDefaultLevel);
  CHECK(level_of_db("3.0.0", false) == CompatLevel::k34);
  CHECK(level_of_db("3.0.0", true, CompatLevel::k34) == CompatLevel::k34);
}

TEST_CASE("a cluster version that only the log has raises the level") {
  Verdict verdict;
  verdict.db.meta.consistent_index = 5;
  verdict.level = CompatLevel::k34;
  verdict.level_known = true;
  REQUIRE(raise_level({}, {version_entry(5, "3.7.0"), version_entry(6, "3.0.0")}, "wal", verdict));
  CHECK(verdict.level == CompatLevel::k34);
  REQUIRE(raise_level({}, {version_entry(6, "3.6.0"), version_entry(7, "3.5.0")}, "wal", verdict));
  CHECK(verdict.level == CompatLevel::k36);
  CHECK(!raise_level(CompatLevel::k35, {version_entry(6, "3.6.0")}, "wal", verdict));
}
