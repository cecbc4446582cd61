#include "truss/peer/msgapp_stream.h"

#include <doctest/doctest.h>

#include "random_messages.h"
#include "truss/common/coding.h"
#include "truss/test_support/hex.h"

using namespace truss;
using namespace truss::peer;
using test_support::from_hex;

namespace {

constexpr raft::NodeId kLeader{0x11};
constexpr raft::NodeId kFollower{0x22};

raft::Message append(std::uint64_t term, std::uint64_t log_term, std::uint64_t index,
                     std::uint64_t commit) {
  raft::Message m;
  m.type = raft::MessageType::kApp;
  m.from = kLeader;
  m.to = kFollower;
  m.term = raft::Term(term);
  m.log_term = raft::Term(log_term);
  m.index = raft::Index(index);
  m.commit = raft::Index(commit);
  return m;
}

raft::Entry entry(std::uint64_t term, std::uint64_t index, ByteView data = {}) {
  return {.term = raft::Term(term), .index = raft::Index(index), .data = SharedBytes::copy(data)};
}

}  // namespace

TEST_CASE("the frames of a leader's first appends are those of a real 3.4 leader") {
  MsgAppWriter writer(raft::MessageForm::k34);
  raft::Message first = append(2, 1, 3, 3);
  first.from = raft::NodeId(0xd906e0ff60cc6fb6);
  first.to = raft::NodeId(0x6fb4ec98ee8c562);
  first.entries = {entry(2, 4)};
  std::string out;
  writer.write(first, out);
  // type 2, then a message of 55 bytes with an empty snapshot in it
  CHECK(out.substr(0, 9) == from_hex("02 0000000000000037"));
  CHECK(out.size() == 9 + 55);

  out.clear();
  writer.write(append(2, 2, 4, 4), out);
  CHECK(out == from_hex("01 0000000000000000 0000000000000004"));

  out.clear();
  raft::Message second = append(2, 2, 4, 8);
  second.entries = {entry(2, 5, std::string(23, 'x'))};
  writer.write(second, out);
  CHECK(out == from_hex("01 0000000000000001 000000000000001f 0800 1002 1805 2217") +
                   std::string(23, 'x') + from_hex("0000000000000008"));

  out.clear();
  MsgAppWriter::write_link_heartbeat(out);
  CHECK(out == std::string(1, '\0'));
}

TEST_CASE("type 1 frames continue where the frame before them ended") {
  MsgAppReader reader(kLeader, kFollower, 1u << 20);
  MsgAppWriter writer(raft::MessageForm::k36);
  raft::Message first = append(2, 1, 3, 3);
  first.entries = {entry(1, 4), entry(2, 5)};
  raft::Message second = append(2, 2, 5, 4);
  second.entries = {entry(2, 6, "a"), entry(2, 7, "b")};
  const raft::Message third = append(2, 2, 7, 6);
  std::string out;
  for (const auto& m : {first, second, third}) writer.write(m, out);
  std::vector<raft::Message> got;
  REQUIRE(reader.receive(out, got));
  CHECK(got == std::vector{first, second, third});
}

TEST_CASE("an append of an older term, or elsewhere, is written whole") {
  MsgAppWriter writer(raft::MessageForm::k36);
  const auto type_of = [&](const raft::Message& m) {
    std::string out;
    writer.write(m, out);
    return static_cast<int>(out[0]);
  };
  CHECK(type_of(append(3, 2, 7, 0)) == 2);
  CHECK(type_of(append(3, 3, 7, 0)) == 1);
  CHECK(type_of(append(3, 3, 8, 0)) == 2);
  CHECK(type_of(append(3, 2, 8, 0)) == 2);
  CHECK(type_of(append(4, 3, 8, 0)) == 2);
}

TEST_CASE("what is written is read, however it is cut, with heartbeats in between") {
  SeededRandom random(2);
  for (int round = 0; round < 50; ++round) {
    MsgAppWriter writer(round % 2 == 0 ? raft::MessageForm::k34 : raft::MessageForm::k36);
    MsgAppReader reader(kLeader, kFollower, 1u << 20);
    std::string bytes;
    std::vector<raft::Message> sent;
    for (int i = 0; i < 30; ++i) {
      if (random.below(4) == 0) MsgAppWriter::write_link_heartbeat(bytes);
      raft::Message m = peer::testing::random_append(random);
      m.from = kLeader;
      m.to = kFollower;
      writer.write(m, bytes);
      sent.push_back(std::move(m));
    }
    std::vector<raft::Message> got;
    peer::testing::in_pieces(random, bytes,
                             [&](ByteView piece) { REQUIRE(reader.receive(piece, got)); });
    CHECK(got == sent);
    CHECK(reader.held_bytes() == 0);
  }
}

TEST_CASE("unknown frame types and garbage end the stream") {
  std::vector<raft::Message> got;
  CHECK(MsgAppReader(kLeader, kFollower, 100).receive(from_hex("03"), got).error().message ==
        "msgapp stream: unknown frame type 3");
  CHECK(MsgAppReader(kLeader, kFollower, 100)
            .receive(from_hex("02 0000000000000002 ffff"), got)
            .error()
            .code == Code::kCorruption);
}

TEST_CASE("oversized frames are refused before their bytes are held") {
  std::vector<raft::Message> got;
  MsgAppReader message(kLeader, kFollower, 100);
  CHECK(message.receive(from_hex("02 0000000000000065"), got).error().code ==
        Code::kResourceExhausted);
  MsgAppReader one(kLeader, kFollower, 100);
  CHECK(one.receive(from_hex("01 ffffffffffffffff ffffffffffffffff"), got).error().code ==
        Code::kResourceExhausted);

  // Entries of no bytes cost memory too: their number is limited, not what they announce.
  MsgAppReader many(kLeader, kFollower, 100 * sizeof(raft::Entry));
  REQUIRE(many.receive(from_hex("01 ffffffffffffffff"), got));
  Result<> read;
  int taken = 0;
  while (read && taken < 1000) {
    read = many.receive(std::string(8, '\0'), got);
    ++taken;
  }
  CHECK(taken == 101);
  CHECK(got.empty());
}
