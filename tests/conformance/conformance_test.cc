#include <doctest/doctest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "interaction.h"
#include "truss/test_support/temp_dir.h"

using namespace truss;
using namespace truss::conformance;

namespace fs = std::filesystem;

namespace {

using Run = Outcome (*)(std::string_view, std::string*);

std::string answer_of(Run run, const std::string& text) {
  const Outcome outcome = run(text, nullptr);
  return outcome.difference.empty() ? "agrees" : outcome.difference;
}

constexpr const char* kPair =
    "add-nodes 2 voters=(1,2) index=10\n----\nok\n\n"
    "campaign 1\n----\nINFO our own words\n\n"
    "stabilize log-level=none\n----\nok\n\n";

constexpr const char* kTraces = TRUSS_SOURCE_DIR "/tests/conformance/traces";

std::string contents(const fs::path& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string pair_and(const std::string& more) { return answer_of(run_interaction, kPair + more); }

}  // namespace

TEST_CASE("directives: continuation, comments, lists, input and expected output") {
  const auto cases = parse(
      "# a comment\n\ncmd a b=1 c=(x, y) \\\n  d=(p(q,r),s)\nline 1\nline 2\n----\nout 1\nout 2\n\n"
      "other\n----\n----\nwith\n\nblank\n----\n----\n\nlast\n----\n");
  REQUIRE(cases.has_value());
  REQUIRE(cases->size() == 3);
  const Case& first = (*cases)[0];
  CHECK(first.command == "cmd");
  CHECK(first.line == 3);
  CHECK(first.input == "line 1\nline 2");
  CHECK(first.expected == "out 1\nout 2\n");
  REQUIRE(first.args.size() == 4);
  CHECK(first.args[0].values.empty());
  CHECK(first.value("b") == "1");
  CHECK(first.args[2].values == std::vector<std::string>{"x", "y"});
  CHECK(first.args[3].values == std::vector<std::string>{"p(q,r)", "s"});
  CHECK((*cases)[1].expected == "with\n\nblank\n");
  CHECK((*cases)[2].expected.empty());
}

TEST_CASE("malformed files are errors, not passes") {
  for (const char* text :
       {"cmd without end\n", "cmd (open\n----\nok\n", "cmd\n----\n----\nno end\n"}) {
    CHECK_FALSE(parse(text).has_value());
    CHECK_FALSE(run_interaction(text, nullptr).difference.empty());
  }
}

TEST_CASE("one altered line fails a file of each kind, and is named") {
  const std::string quorum =
      "committed cfg=(1,2,3) idx=(5,7,_)\n----\n       idx\n"
      "x>       5    (id=1)\nxx>      7    (id=2)\n?        0    (id=3)\n";
  CHECK(answer_of(run_quorum, quorum + "5\n") == "agrees");
  CHECK(answer_of(run_quorum, quorum + "7\n") ==
        "line 1 (committed), output line 5: want \"7\", got \"5\"");

  const std::string change = "simple\nv1\n----\nvoters=(1)\n1: StateProbe match=0 next=";
  CHECK(answer_of(run_confchange, change + "1\n") == "agrees");
  CHECK(answer_of(run_confchange, change + "2\n") != "agrees");

  CHECK(pair_and("raft-log 1\n----\n1/11 EntryNormal \"\"\n") == "agrees");
  CHECK(pair_and("raft-log 1\n----\n1/12 EntryNormal \"\"\n") ==
        "line 13 (raft-log), output line 1: want \"1/12 EntryNormal \"\"\", "
        "got \"1/11 EntryNormal \"\"\"");
}

TEST_CASE("unknown commands, arguments and nodes fail") {
  CHECK(pair_and("frobnicate 1\n----\nok\n") == "line 13: unknown command frobnicate");
  CHECK(pair_and("campaign 9\n----\nok\n") == "line 13: no node 9");
  CHECK(pair_and("add-nodes 1 colour=red\n----\nok\n") != "agrees");
  CHECK(answer_of(run_quorum, "committee\n----\n\n") != "agrees");
  CHECK(answer_of(run_quorum, "vote cfg=(1,2) votes=(y)\n----\nVotePending\n") != "agrees");
  CHECK(answer_of(run_confchange, "complex\nv1\n----\n\n") != "agrees");
}

TEST_CASE("log lines are left out on both sides, other lines are not") {
  CHECK(pair_and("campaign 2\n----\nINFO one\n  DEBUG two\nWARN three\nERROR four\n") == "agrees");
  CHECK(pair_and("campaign 2\n----\nINFORMATION\n") != "agrees");
}

TEST_CASE("messages are delivered by type, and the others stay") {
  CHECK(pair_and("tick-heartbeat 1\n----\nok\n\npropose 1 x\n----\nok\n\n"
                 "process-ready 1\n----\nReady MustSync=true:\nEntries:\n1/12 EntryNormal \"x\"\n"
                 "Messages:\n1->2 MsgHeartbeat Term:1 Log:0/0 Commit:11\n"
                 "1->2 MsgApp Term:1 Log:1/11 Commit:11 Entries:[1/12 EntryNormal \"x\"]\n\n"
                 "deliver-msgs 2 type=MsgApp\n----\n"
                 "1->2 MsgApp Term:1 Log:1/11 Commit:11 Entries:[1/12 EntryNormal \"x\"]\n\n"
                 "deliver-msgs 2 type=MsgApp\n----\nno messages\n\n"
                 "deliver-msgs drop=(2) type=MsgHeartbeat\n----\n"
                 "dropped: 1->2 MsgHeartbeat Term:1 Log:0/0 Commit:11\n\n"
                 "deliver-msgs 2 type=MsgNone\n----\nok\n") ==
        "line 42: unknown message type MsgNone");
}

TEST_CASE("a snapshot can be sent by hand") {
  CHECK(pair_and("send-snapshot 1 2\n----\n1->2 MsgSnap Term:1 Log:0/0\n"
                 "  Snapshot: Index:11 Term:1 ConfState:Voters:[1 2] VotersOutgoing:[] "
                 "Learners:[] LearnersNext:[] AutoLeave:false\n\n"
                 "deliver-msgs 2\n----\n1->2 MsgSnap Term:1 Log:0/0\n"
                 "  Snapshot: Index:11 Term:1 ConfState:Voters:[1 2] VotersOutgoing:[] "
                 "Learners:[] LearnersNext:[] AutoLeave:false\n\n"
                 "process-ready 2\n----\nReady MustSync=false:\nMessages:\n"
                 "2->1 MsgAppResp Term:1 Log:0/11\n") == "agrees");
}

TEST_CASE("errors are printed where they happen, and even a silenced file shows them") {
  CHECK(pair_and("log-level NONE\n----\nok\n\ntransfer-leadership from=1 to=2\n----\nok\n\n"
                 "propose 1 x\n----\nraft proposal dropped\n") == "agrees");
}

TEST_CASE("compaction, states and progress are printed") {
  CHECK(pair_and("compact 1 11\n----\nlog is empty: first index=12, last index=11\n\n"
                 "raft-state\n----\n1: StateLeader (Voter) Term:1 Lead:1\n"
                 "2: StateFollower (Voter) Term:1 Lead:1\n\n"
                 "report-unreachable 1 2\n----\nok\n\n"
                 "status 1\n----\n1: StateReplicate match=11 next=12\n"
                 "2: StateProbe match=11 next=12\n\nstatus 2\n----\nok\n") == "agrees");
}

namespace {

/// Whether a change of the last digit of `path`, which stands in an expected line, is noticed.
bool notices_a_changed_line(Run run, const fs::path& path) {
  std::string text = contents(path);
  CHECK(run(text, nullptr).difference.empty());
  const auto at = text.find_last_of("0123456789");
  REQUIRE(at != std::string::npos);
  text[at] = text[at] == '9' ? '8' : '9';
  return !run(text, nullptr).difference.empty();
}

/// The exit code of raft_conformance.
int program(const std::string& arguments) {
  const int status =
      std::system((std::string(TRUSS_CONFORMANCE) + " " + arguments + " >/dev/null 2>&1").c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("an altered line of each kind of file is noticed, in our traces and in the peers'") {
  const std::map<std::string, Run> ours = {{"interaction/transfer.txt", run_interaction},
                                           {"quorum/cases.txt", run_quorum},
                                           {"confchange/cases.txt", run_confchange}};
  for (const auto& [name, run] : ours) CHECK(notices_a_changed_line(run, fs::path(kTraces) / name));
  const char* set = std::getenv("TRUSS_RAFT_TESTDATA");
  const fs::path root = set != nullptr ? set : TRUSS_SOURCE_DIR "/../shared/data/raft-testdata";
  if (!fs::is_directory(root)) {
    std::printf("SKIPPED: no raft test data at %s\n", root.c_str());
    return;
  }
  const std::map<std::string, Run> theirs = {
      {"interaction/probe_and_replicate.txt", run_interaction},
      {"quorum/joint_commit.txt", run_quorum},
      {"confchange/joint_safety.txt", run_confchange}};
  for (const auto& [name, run] : theirs) CHECK(notices_a_changed_line(run, root / name));
}

TEST_CASE("the program fails for a difference, an unknown command, a missing or empty folder") {
  const test_support::TempDir dir;
  const auto fresh = [&] {
    fs::remove_all(dir.path());
    fs::copy(kTraces, dir.path(), fs::copy_options::recursive);
  };
  const auto add = [&](const std::string& file, const std::string& text) {
    std::ofstream(dir / file) << text;
  };
  const std::string run = "--testdata " + dir.path();
  fresh();
  CHECK(program(run) == 0);
  CHECK(program("--testdata=" + dir.path()) == 0);
  add("quorum/more.txt", "vote cfg=(1) votes=(y)\n----\nVoteLost\n");
  CHECK(program(run) == 1);
  for (const char* folder : {"interaction", "quorum", "confchange"}) {
    CAPTURE(folder);
    fresh();
    add(std::string(folder) + "/odd.txt", "frobnicate 1\n----\nok\n");
    CHECK(program(run) == 1);
    fresh();
    add(std::string(folder) + "/hollow.txt", "# no cases\n");
    CHECK(program(run) == 1);
    fresh();
    fs::remove_all(dir / folder);
    CHECK(program(run) == 1);
    fs::create_directory(dir / folder);
    CHECK(program(run) == 1);
  }
  CHECK(program("--testdata /nonexistent") == 1);
  CHECK(program("--frobnicate") == 2);
}

TEST_CASE("rewriting puts the given answers in the places of the expected ones, and no more") {
  const std::string text =
      "# first\nvote cfg=(1) votes=(y)\n----\nwrong\n\nvote cfg=(1) votes=(n)\n----\n\n# last\n";
  std::string rewritten;
  CHECK(run_quorum(text, &rewritten).difference.empty());
  CHECK(rewritten ==
        "# first\nvote cfg=(1) votes=(y)\n----\nVoteWon\n\nvote cfg=(1) votes=(n)\n----\n"
        "VoteLost\n\n# last\n");
  CHECK(run_quorum(rewritten, nullptr).difference.empty());
  CHECK_FALSE(run_quorum("frobnicate\n----\n", &rewritten).difference.empty());
}
