#include "truss/peertool/profile.h"

#include <doctest/doctest.h>

#include "truss/common/process.h"
#include "truss/test_support/temp_dir.h"
#include "truss/wal/wal.h"

using namespace truss;
using namespace truss::peertool;

TEST_CASE("a profile comes back from its JSON as it was") {
  const Profile profile{.heartbeats_per_second = 10,
                        .appends_per_second = 123,
                        .posts_per_second = 1,
                        .append_sizes = {{100, 3}, {5000, 0.5}}};
  const auto back = parse_profile(profile_json(profile), "p.json");
  REQUIRE(back.has_value());
  CHECK(profile_json(*back) == profile_json(profile));
}

TEST_CASE("profiles that can't be driven are refused") {
  Profile profile;
  CHECK(parse_profile(profile_json(profile), "p").has_value());
  const auto code = [](const Profile& p) {
    return parse_profile(profile_json(p), "p").error().code;
  };
  profile.append_sizes = {};
  CHECK(code(profile) == Code::kInvalidArgument);
  profile.append_sizes = {{2u << 20, 1}};
  CHECK(code(profile) == Code::kInvalidArgument);
  profile.append_sizes = {{10, -1}};
  CHECK(code(profile) == Code::kInvalidArgument);
  profile = {};
  profile.appends_per_second = -1;
  CHECK(code(profile) == Code::kInvalidArgument);
  profile = {.heartbeats_per_second = 0, .appends_per_second = 0};
  CHECK(code(profile) == Code::kInvalidArgument);
  CHECK(parse_profile("{", "p").error().code == Code::kCorruption);
  profile = {.appends_per_second = 1e9};
  CHECK(code(profile) == Code::kInvalidArgument);
  CHECK(parse_profile("[]", "p").error().code == Code::kCorruption);
  CHECK(parse_profile(std::string(100'000, '['), "p").error().code == Code::kCorruption);
  CHECK(parse_profile("{\"appends_per_second\": 5}", "p").error().message ==
        "p: no profile: key `heartbeats_per_second` is missing");
  CHECK(parse_profile(R"({"heartbeats_per_second": Infinity, "appends_per_second": 1,
      "posts_per_second": 0, "append_sizes": [{"bytes": 1, "weight": 1}]})",
                      "p")
            .error()
            .code == Code::kInvalidArgument);
}

TEST_CASE("sizes are recorded from a log that is in use, which stays as it is") {
  test_support::TempDir dir;
  PosixFileSystem files;
  SystemProcess process;
  REQUIRE(files.make_dir(dir / "member", 0700).has_value());
  const auto log = wal::Wal::create(files, process, dir / "member/wal",
                                    wal::encode_identity({raft::NodeId(1), 2}), {});
  REQUIRE(log.has_value());
  std::vector<raft::Entry> entries;
  for (std::uint64_t i = 1; i <= 40; ++i) {
    const std::size_t size = i % 4 == 0 ? 4096 : 100;
    entries.push_back({raft::Term(1), raft::Index(i), raft::EntryType::kNormal,
                       SharedBytes::copy(std::string(size, 'x'))});
  }
  entries.push_back({raft::Term(1), raft::Index(41)});  // a new leader's empty one
  (*log)->save({raft::Term(1), {}, raft::Index(1)}, entries);
  const auto names = files.list(dir / "member/wal").value();
  const auto profile = record_profile(files, dir.path());
  REQUIRE(profile.has_value());
  REQUIRE(profile->append_sizes.size() == 2);
  CHECK(profile->append_sizes[0].bytes == 100);
  CHECK(profile->append_sizes[0].weight == 30);
  CHECK(profile->append_sizes[1].bytes == 4096);
  CHECK(profile->append_sizes[1].weight == 10);
  CHECK(files.list(dir / "member/wal").value() == names);
}

TEST_CASE("no log is said") {
  test_support::TempDir dir;
  PosixFileSystem files;
  CHECK(record_profile(files, dir.path()).error().code == Code::kNotFound);
}
