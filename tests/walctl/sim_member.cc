#include "sim_member.h"

#include <doctest/doctest.h>

#include "truss/bolt/bolt.h"
#include "truss/schema/buckets.h"
#include "truss/schema/membership.h"
#include "truss/schema/records.h"
#include "truss/waltool/entries.h"

namespace truss::walctl_test {
namespace {

void make_db(FileSystem& fs, const std::string& path, std::uint64_t applied) {
  const auto db = bolt::DB::open(fs, path, {}).value();
  auto tx = db->begin_write().value();
  REQUIRE(schema::create_buckets(tx).has_value());
  auto meta = tx.bucket(schema::bucket_name(schema::BucketId::kMeta)).value().value();
  REQUIRE(meta.put(schema::kConsistentIndexKey, schema::encode_u64(applied)).has_value());
  schema::Member member;
  member.id = kOldMember;
  member.name = "old";
  member.peer_urls = {"http://127.0.0.1:2380"};
  auto members = tx.bucket(schema::bucket_name(schema::BucketId::kMembers)).value().value();
  REQUIRE(members.put(schema::member_key(kOldMember), schema::encode_member(member)).has_value());
  REQUIRE(tx.commit().has_value());
}

}  // namespace

void make_member(truss::testing::SimFileSystem& disk, const Files& files, std::uint64_t applied) {
  for (const char* dir : {"/m", "/m/member", "/m/member/wal", "/m/member/snap"})
    REQUIRE(disk.make_dir(dir).has_value());
  for (const auto& [name, bytes] : files) {
    const auto file = disk.open("/m/member/wal/" + name, {.write = true, .create = true}).value();
    REQUIRE(file->pwrite(bytes, 0).has_value());
    REQUIRE(file->sync().has_value());
  }
  make_db(disk, "/m/member/snap/db", applied);
  for (const char* dir : {"/m/member/wal", "/m/member/snap", "/m/member", "/m", "/"})
    REQUIRE(disk.sync_dir(dir).has_value());
}

waltool::DataDir member_dir(FileSystem& fs) { return waltool::locate(fs, "/m").value(); }

Entries entries_of(FileSystem& fs, const waltool::DataDir& dir) {
  Entries out;
  const auto take = [&](const waltool::LogEntry& entry) {
    out.emplace_back(entry.index.value(), entry.term.value(), std::string(entry.data));
    return true;
  };
  REQUIRE(waltool::each_entry(fs, dir, take).has_value());
  return out;
}

std::vector<std::uint64_t> db_members(FileSystem& fs, const waltool::DataDir& dir) {
  std::vector<std::uint64_t> out;
  const auto facts = waltool::read_db(fs, dir.db).value();
  for (const auto& [id, learner] : facts.members) out.push_back(id);
  return out;
}

}  // namespace truss::walctl_test
