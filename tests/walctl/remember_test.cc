#include "truss/waltool/remember.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "sim_member.h"
#include "sim_names.h"
#include "truss/common/testing/sweep.h"

using namespace truss;
using namespace truss::testing;
using namespace truss::walctl_test;

namespace {

constexpr std::uint64_t kCluster = 0xc1;

waltool::NewCluster three() {
  waltool::NewCluster out{kCluster, raft::NodeId(12), {}};
  for (const std::uint64_t id : {11, 12, 13})
    out.members.push_back(
        {raft::NodeId(id), "n" + std::to_string(id), {"http://127.0.0.1:" + std::to_string(id)}});
  return out;
}

struct Member {
  explicit Member(std::uint64_t lag = 5)
      : log(make_log(5, {.batches = 12,
                         .segment_bytes = 2048,
                         .last_bytes = 4096,
                         .snapshot_every = 0,
                         .new_term = 0.1})) {
    applied = log.commit - lag;
    make_member(disk, log.files, applied);
    dir = member_dir(disk);
    evidence = waltool::gather(disk, dir).value();
    entries = entries_of(disk, dir);
  }

  waltool::RememberPlan plan() const {
    return waltool::plan_remember(evidence, waltool::judge(evidence)).value();
  }
  Result<std::vector<std::string>> remember() {
    return waltool::remember(disk, names, process, dir, evidence, plan(), three());
  }
  Result<std::vector<std::string>> undo(SimFileSystem& on) {
    SimNames on_names(on);
    return waltool::undo_remember(on, on_names, process, dir, waltool::undo_path(dir));
  }

  SimFileSystem disk;
  SimNames names{disk};
  SystemProcess process;
  ModelLog log;
  std::uint64_t applied = 0;
  waltool::DataDir dir;
  waltool::Evidence evidence;
  Entries entries;
};

using Ids = std::vector<std::uint64_t>;

/// "old", "new", "sealed", or what is wrong.
std::string state_of(const Member& member, SimFileSystem& disk) {
  const auto now = waltool::gather(disk, member.dir);
  if (!now || !now->identity) return "unreadable";
  if (exists(disk, member.dir.wal + "/0000000000000000-ffffffffffffffff.wal")) return "sealed";
  const Ids ids = db_members(disk, member.dir);
  if (now->identity->cluster_id == kOldCluster) {
    if (ids != Ids{kOldMember}) return "old log, other members in the db";
    return entries_of(disk, member.dir) == member.entries ? "old" : "old log, other entries";
  }
  if (ids != Ids{11, 12, 13}) return "new log, other members in the db";
  const auto snap = std::ranges::find_if(
      now->snaps, [&](const auto& s) { return s.mark.index.value() == member.applied; });
  if (snap == now->snaps.end() || !snap->readable || snap->members.size() != 3)
    return "new log without its .snap";
  return "new";
}

}  // namespace

TEST_CASE("remember: the directory becomes the new cluster's, with all entries behind the db") {
  Member member;
  const auto steps = member.remember();
  REQUIRE_MESSAGE(steps.has_value(), steps.error().message);
  CHECK(state_of(member, member.disk) == "new");
  Entries expected;
  std::ranges::copy_if(member.entries, std::back_inserter(expected),
                       [&](const auto& e) { return std::get<0>(e) > member.applied; });
  CHECK(entries_of(member.disk, member.dir) == expected);
  const auto now = waltool::gather(member.disk, member.dir).value();
  CHECK(now.identity->node_id == raft::NodeId(12));
  CHECK(now.state.vote == raft::kNoNode);
  CHECK(now.state.commit.value() == member.log.commit);
  CHECK(now.db->removed == Ids{kOldMember});
  CHECK(waltool::judge(now).verdict == waltool::Verdict::kClean);
}

TEST_CASE("remember: undone, everything is as before") {
  Member member;
  REQUIRE(member.remember().has_value());
  const auto undone = member.undo(member.disk);
  REQUIRE_MESSAGE(undone.has_value(), undone.error().message);
  CHECK(state_of(member, member.disk) == "old");
  CHECK(member.disk.list("/m/member").value() == std::vector<std::string>{"snap", "wal"});
  CHECK(member.disk.list("/m/member/snap").value() == std::vector<std::string>{"db"});
}

TEST_CASE("remember: not undone once a member has run") {
  Member member;
  REQUIRE(member.remember().has_value());
  const std::string path = member.dir.wal + "/0000000000000000-0000000000000000.wal";
  const auto file = member.disk.open(path, {.write = true}).value();
  const auto facts = waltool::gather(member.disk, member.dir).value();
  // Whatever changes where the log ends.
  const std::uint64_t used = facts.segments.back().used_bytes;
  REQUIRE(file->truncate(used - 8).has_value());
  const auto undone = member.undo(member.disk);
  REQUIRE_FALSE(undone.has_value());
  CHECK(undone.error().code == Code::kFailedPrecondition);
}

TEST_CASE("remember: refuses a second time, a member of before, and a log that is LOST") {
  Member member;
  auto again = three();
  again.members[0].id = raft::NodeId(kOldMember);
  const auto known = waltool::remember(member.disk, member.names, member.process, member.dir,
                                       member.evidence, member.plan(), again);
  REQUIRE_FALSE(known.has_value());
  CHECK(known.error().code == Code::kInvalidArgument);
  CHECK(state_of(member, member.disk) == "old");
  REQUIRE(member.remember().has_value());
  CHECK(member.remember().error().code == Code::kAlreadyExists);

  Member hurt;
  auto evidence = hurt.evidence;
  evidence.state.commit = raft::Index(hurt.log.last + 3);
  CHECK(waltool::plan_remember(evidence, waltool::judge(evidence)).error().code ==
        Code::kFailedPrecondition);
}

TEST_CASE(
    "remember: a crash at any point leaves the old, the new or a sealed directory; undo works") {
  std::uint64_t sealed = 0;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    Member member;
    CrashSweep sweep({.seed = seed, .copies_per_point = 2},
                     [&](SimFileSystem& crashed) -> std::string {
                       const std::string state = state_of(member, crashed);
                       if (state != "old" && state != "new" && state != "sealed") return state;
                       sealed += state == "sealed";
                       if (!exists(crashed, waltool::undo_path(member.dir))) {
                         return state == "old" ? "" : state + " without an undo file";
                       }
                       const auto undone = member.undo(crashed);
                       if (!undone) return state + ", undo: " + undone.error().message;
                       const std::string after = state_of(member, crashed);
                       return after == "old" ? "" : state + ", undone: " + after;
                     });
    sweep.attach(member.disk);
    REQUIRE(member.remember().has_value());
    sweep.crash_now(member.disk);
    CHECK_MESSAGE(sweep.failures() == 0, sweep.report());
    CHECK(sweep.crashes() > 40);
  }
  CHECK(sealed > 0);
}

TEST_CASE("remember: a crash at any point of undoing leaves something that can be undone") {
  Member member;
  REQUIRE(member.remember().has_value());
  CrashSweep sweep({.seed = 9, .copies_per_point = 3}, [&](SimFileSystem& crashed) -> std::string {
    if (exists(crashed, waltool::undo_path(member.dir))) {
      const auto undone = member.undo(crashed);
      if (!undone) return "undo: " + undone.error().message;
    }
    const std::string after = state_of(member, crashed);
    return after == "old" ? "" : after;
  });
  sweep.attach(member.disk);
  REQUIRE(member.undo(member.disk).has_value());
  sweep.crash_now(member.disk);
  CHECK_MESSAGE(sweep.failures() == 0, sweep.report());
}
