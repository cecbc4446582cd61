#include <doctest/doctest.h>

#include "cluster.h"

using namespace truss::raft;

/// What a node refuses from outside, with its reason; nothing of it may end the process.

namespace {

Message ack_from(std::uint64_t from, std::uint64_t term, std::uint64_t index) {
  Message m = message(MessageType::kAppResp, from, 1, term);
  m.index = Index{index};
  return m;
}

/// Three members, 1 leads in term 2; the log is 1 1 1 2, all committed.
struct Trio : Cluster {
  Trio() : Cluster(3) { campaign(1); }
  Refusal refusal(std::uint64_t by, const Message& m) {
    const StepResult result = step((*this)[by], m);
    REQUIRE_FALSE(result.has_value());
    return result.error();
  }
};

Message append(std::vector<Entry> entries) {
  Message m = message(MessageType::kApp, 1, 2, 2);
  m.index = Index{4};
  m.log_term = Term{2};
  m.entries = std::move(entries);
  return m;
}

Message snapshot(std::uint64_t index, std::uint64_t term) {
  Message m = message(MessageType::kSnap, 1, 2, 2);
  m.has_snapshot = true;
  m.snapshot.metadata = {{.voters = {NodeId{1}, NodeId{2}, NodeId{3}}}, Index{index}, Term{term}};
  return m;
}

}  // namespace

TEST_CASE("messages of local kinds come from nobody else") {
  Trio trio;
  for (MessageType type :
       {MessageType::kHup, MessageType::kBeat, MessageType::kUnreachable, MessageType::kSnapStatus,
        MessageType::kCheckQuorum, MessageType::kStorageAppend, MessageType::kStorageAppendResp,
        MessageType::kStorageApply, MessageType::kStorageApplyResp}) {
    CHECK(trio.refusal(1, message(type, 2, 1, 2)) == Refusal::kLocalMessage);
  }
  Message as_thread = message(MessageType::kStorageApplyResp, 0, 1, 0);
  as_thread.from = kLocalApplyThread;
  as_thread.entries = {entry(2, 1000)};
  CHECK(trio.refusal(1, as_thread) == Refusal::kLocalMessage);
}

TEST_CASE("answers of strangers are refused, requests of strangers are served") {
  Trio trio;
  for (MessageType type : {MessageType::kAppResp, MessageType::kVoteResp, MessageType::kPreVoteResp,
                           MessageType::kHeartbeatResp, MessageType::kReadIndexResp}) {
    CHECK(trio.refusal(1, message(type, 9, 1, 2)) == Refusal::kUnknownPeer);
  }
  Message vote = message(MessageType::kVote, 9, 2, 5);
  vote.index = Index{100};
  vote.log_term = Term{4};
  CHECK(step(trio[2], vote).has_value());
  trio.handle_ready(trio[2]);
  CHECK_FALSE(trio.sent.back().reject);
}

TEST_CASE("messages for others, from nobody or in our own name are refused") {
  Trio trio;
  CHECK(trio.refusal(2, message(MessageType::kHeartbeat, 1, 3, 2)) == Refusal::kWrongRecipient);
  CHECK(trio.refusal(2, message(MessageType::kVote, 0, 2, 9)) == Refusal::kWrongSender);
  CHECK(trio.refusal(2, message(MessageType::kHeartbeat, 2, 2, 3)) == Refusal::kWrongSender);
  // Else the leader's own entry would count before it is durable.
  CHECK(trio[1].raft->propose(bytes("x")).has_value());
  CHECK(trio.refusal(1, ack_from(1, 2, 5)) == Refusal::kWrongSender);
  CHECK(trio[1].peer(1).progress.match == Index{4});
}

TEST_CASE("a proposal that others hand on may be our own") {
  Trio trio;
  Message proposal = message(MessageType::kProp, 1, 1, 0);
  proposal.entries = {entry(0, 0, "x")};
  CHECK(step(trio[1], proposal).has_value());
  trio.settle();
  CHECK(trio[3].applied_text() == "x");
}

TEST_CASE("acknowledgements of what the leader never had are refused") {
  Trio trio;
  CHECK(trio.refusal(1, ack_from(2, 2, 5)) == Refusal::kMalformed);
  CHECK(step(trio[1], ack_from(2, 2, 4)).has_value());
  CHECK(trio.refusal(1, ack_from(2, 0, 5)) == Refusal::kMalformed);  // not even as a local message
}

TEST_CASE("appends have no gaps, and no entries later than their own term") {
  Trio trio;
  CHECK(trio.refusal(2, append({entry(2, 6)})) == Refusal::kMalformed);
  CHECK(trio.refusal(2, append({entry(2, 5), entry(2, 7)})) == Refusal::kMalformed);
  CHECK(trio.refusal(2, append({entry(3, 5)})) == Refusal::kMalformed);
  CHECK(trio.refusal(2, append({entry(1, 5)})) == Refusal::kMalformed);
  Message without_term = append({entry(2, 5)});
  without_term.term = Term{};
  CHECK(trio.refusal(2, without_term) == Refusal::kMalformed);
  Message later = append({});
  later.log_term = Term{3};
  CHECK(trio.refusal(2, later) == Refusal::kMalformed);
  CHECK(step(trio[2], append({entry(2, 5)})).has_value());
}

TEST_CASE("proposals and reads have an entry and no term") {
  Trio trio;
  for (MessageType type : {MessageType::kProp, MessageType::kReadIndex}) {
    Message m = message(type, 2, 1, 0);
    CHECK(trio.refusal(1, m) == Refusal::kMalformed);
    m.entries = {entry(0, 0, "x")};
    m.term = Term{2};
    CHECK(trio.refusal(1, m) == Refusal::kMalformed);
  }
  Message two = message(MessageType::kReadIndex, 2, 1, 0);
  two.entries = {entry(0, 0, "x"), entry(0, 0, "y")};
  CHECK(trio.refusal(1, two) == Refusal::kMalformed);
}

TEST_CASE("conf changes that can't be read, or name a storage thread, do not enter the log") {
  Trio trio;
  Message m = message(MessageType::kProp, 2, 1, 0);
  for (EntryType type : {EntryType::kConfChange, EntryType::kConfChangeV2}) {
    m.entries = {{Term{}, Index{}, type, bytes("\xff")}};
    CHECK(trio.refusal(1, m) == Refusal::kMalformed);
  }
  const ConfChange v1{0, ConfChangeType::kAddNode, kLocalAppendThread, {}};
  CHECK(trio[1].raft->propose_conf_change(v1).error() == Refusal::kMalformed);
  const ConfChangeV2 v2{
      ConfChangeTransition::kAuto,
      {{ConfChangeType::kAddNode, NodeId{4}}, {ConfChangeType::kAddLearnerNode, kLocalApplyThread}},
      {}};
  CHECK(trio[1].raft->propose_conf_change(v2).error() == Refusal::kMalformed);
  CHECK_FALSE(trio[1].raft->apply_conf_change(v1).has_value());
  CHECK_FALSE(trio[1].raft->apply_conf_change(v2).has_value());
  CHECK(trio[1].last() == Index{4});
}

TEST_CASE("snapshots carry one, of a term that their sender has seen") {
  Trio trio;
  CHECK(trio.refusal(2, message(MessageType::kSnap, 1, 2, 2)) == Refusal::kMalformed);
  CHECK(trio.refusal(2, snapshot(9, 3)) == Refusal::kMalformed);
  CHECK(trio.refusal(2, snapshot(9, 0)) == Refusal::kMalformed);
  CHECK(trio.refusal(2, snapshot(UINT64_MAX, 2)) == Refusal::kMalformed);
  CHECK(step(trio[2], snapshot(9, 2)).has_value());
  CHECK(trio[2].last() == Index{9});
}

TEST_CASE("a snapshot whose members contradict each other is not restored") {
  Trio trio;
  for (NodeId odd : {NodeId{}, NodeId{2}, kLocalAppendThread}) {
    Message m = snapshot(9, 2);
    m.snapshot.metadata.conf_state.voters.push_back(odd);
    CHECK(step(trio[2], m).has_value());
    CHECK(trio[2].last() == Index{4});
  }
}

TEST_CASE("terms and indexes near the end of their range are refused") {
  Trio trio;
  CHECK(trio.refusal(2, message(MessageType::kVote, 1, 2, UINT64_MAX)) == Refusal::kMalformed);
  Message m = append({});
  m.index = Index{UINT64_MAX};
  CHECK(trio.refusal(2, m) == Refusal::kMalformed);
}

namespace {

/// A heartbeat that counts on two entries more than the log has.
Message counting_on_more(std::uint64_t from) {
  Message beat = message(MessageType::kHeartbeat, from, 2, 2);
  beat.commit = Index{6};
  return beat;
}

}  // namespace

TEST_CASE("who lost entries that it acknowledged says so, and helps nobody to be elected") {
  Trio trio;
  CHECK(trio.refusal(2, counting_on_more(1)) == Refusal::kLogTooShort);
  CHECK(trio[2].commit() == Index{4});
  trio.isolate(1);
  trio.campaign(2);
  CHECK(trio[2].role() == Role::kFollower);
  trio.campaign(3);
  CHECK(trio[3].role() == Role::kCandidate);
  CHECK(trio[2].raft->basic_status().no_leader == NoLeaderReason::kLogTooShort);
  trio.heal();
  trio.campaign(1);
  CHECK(trio[1].role() == Role::kLeader);  // with the vote of 3
}

TEST_CASE("with its log as long as it was, it is a voter again") {
  Trio trio;
  CHECK(trio.refusal(2, counting_on_more(1)) == Refusal::kLogTooShort);
  for (const char* word : {"a", "b"}) trio.propose(1, word);
  trio.isolate(1);
  trio.campaign(3);
  CHECK(trio.leader() == 3);
}

TEST_CASE("a stranger is not believed that entries were lost") {
  Trio trio;
  CHECK(trio.refusal(2, counting_on_more(9)) == Refusal::kLogTooShort);
  trio.isolate(1);
  trio.campaign(3);
  CHECK(trio.leader() == 3);
}

TEST_CASE("the number of reads that wait is bounded") {
  Trio trio;
  trio.isolate(1);
  Message read = message(MessageType::kReadIndex, 2, 1, 0);
  read.entries = {entry(0, 0, "r")};
  std::size_t taken = 0;
  while (step(trio[1], read).has_value() && taken < 1000000) {
    ++taken;
    trio.handle_ready(trio[1]);
  }
  CHECK(taken == 16384);
  CHECK(trio.refusal(1, read) == Refusal::kTooManyReads);
}
