#include "outdated_acks.h"

#include <doctest/doctest.h>

#include "sim_cluster.h"

/// Which acknowledgements a later one makes needless.
using namespace truss;
using namespace truss::server;
using namespace truss::server::testing;

namespace {

using raft::Message;
using raft::MessageType;

Message ack(std::uint64_t to, std::uint64_t index, std::uint64_t term = 5) {
  Message m;
  m.type = MessageType::kAppResp;
  m.to = raft::NodeId(to);
  m.term = raft::Term(term);
  m.index = raft::Index(index);
  return m;
}

Message refusal(std::uint64_t to, std::uint64_t index) {
  Message m = ack(to, index);
  m.reject = true;
  return m;
}

Message vote(std::uint64_t to) {
  Message m;
  m.type = MessageType::kVoteResp;
  m.to = raft::NodeId(to);
  m.term = raft::Term(5);
  return m;
}

/// What is left: `to:index` of acknowledgements, `to!index` of refusals, `to?` of votes.
std::string left(std::vector<Message> messages) {
  drop_outdated_acks(messages);
  std::string out;
  for (const Message& m : messages) {
    out += (out.empty() ? "" : " ") + std::to_string(m.to.value());
    if (m.type == MessageType::kVoteResp) {
      out += "?";
    } else {
      out += (m.reject ? "!" : ":") + std::to_string(m.index.value());
    }
  }
  return out;
}

}  // namespace

TEST_CASE("of several acknowledgements the last is enough") {
  CHECK(left({}).empty());
  CHECK(left({ack(1, 4)}) == "1:4");
  CHECK(left({ack(1, 4), ack(1, 5), ack(1, 9)}) == "1:9");
  CHECK(left({ack(1, 9), ack(1, 9)}) == "1:9");
}

TEST_CASE("but not for another member, another term, or more than it says") {
  CHECK(left({ack(1, 4), ack(2, 5)}) == "1:4 2:5");
  CHECK(left({ack(1, 4, 5), ack(1, 5, 6)}) == "1:4 1:5");
  CHECK(left({ack(1, 9), ack(1, 5)}) == "1:9 1:5");
}

TEST_CASE("and for nothing but acknowledgements, which keep their order") {
  CHECK(left({refusal(1, 4), ack(1, 5)}) == "1!4 1:5");
  CHECK(left({ack(1, 5), refusal(1, 8)}) == "1:5 1!8");
  CHECK(left({vote(1), ack(1, 4), vote(2), ack(1, 5), vote(1)}) == "1? 2? 1:5 1?");
}

TEST_CASE("a follower whose disk answers again acknowledges all it wrote at once") {
  SimCluster cluster;
  const std::string leader = cluster.leader();
  REQUIRE(!leader.empty());
  REQUIRE(cluster.run_until_same());
  const std::string slow = SimCluster::other({leader});
  cluster[slow].hang_disk(true);
  for (int i = 0; i < 5; ++i) cluster.put_many(leader, 1, "k" + std::to_string(i) + ".");
  std::vector<raft::Index> acks;
  cluster.wire.tap = [&](const Message& m) {
    const bool one = m.type == MessageType::kAppResp && m.from == SimCluster::id_of(slow);
    if (one && !m.reject) acks.push_back(m.index);
  };
  cluster[slow].hang_disk(false);
  REQUIRE(cluster.run_until_same());
  REQUIRE(!acks.empty());
  CHECK(acks.size() <= 2);
  CHECK(acks.back() == cluster[slow]->status().applied);
}
