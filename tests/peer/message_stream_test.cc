#include "truss/peer/message_stream.h"

#include <doctest/doctest.h>

#include "random_messages.h"
#include "truss/common/coding.h"
#include "truss/test_support/hex.h"

using namespace truss;
using namespace truss::peer;
using test_support::from_hex;

namespace {

std::string frame_of(const raft::Message& message, raft::MessageForm form) {
  std::string out;
  write_message_frame(message, form, out);
  return out;
}

std::vector<raft::Message> read_all(ByteView bytes) {
  MessageStreamReader reader(1u << 20);
  std::vector<raft::Message> messages;
  REQUIRE(reader.receive(bytes, messages));
  CHECK(reader.held_bytes() == 0);
  return messages;
}

}  // namespace

TEST_CASE("link heartbeats have the bytes of real members") {
  CHECK(to_hex(frame_of(link_heartbeat(), raft::MessageForm::k34)) ==
        "000000000000001e"
        "080810001800200028003000"
        "40004a0a12080a0228001000180050005800");
  CHECK(to_hex(frame_of(link_heartbeat(), raft::MessageForm::k36)) ==
        "000000000000001408081000180020002800300040005000"
        "58006800");
}

TEST_CASE("link heartbeats of every release are left out") {
  CHECK(read_all(from_hex("000000000000001e 0808 1000 1800 2000 2800 3000 4000"
                          "4a0a12080a02280010001800 5000 5800"))
            .empty());
  CHECK(read_all(from_hex("0000000000000014 0808 1000 1800 2000 2800 3000 4000 5000 5800 6800"))
            .empty());
  CHECK(read_all(from_hex("0000000000000002 0808")).empty());
}

TEST_CASE("a heartbeat response of a real 3.4 member") {
  raft::Message m;
  m.type = raft::MessageType::kHeartbeatResp;
  m.to = raft::NodeId(0x6fb4ec98ee8c562);
  m.from = raft::NodeId(5);
  m.term = raft::Term(2);
  const std::string bytes = frame_of(m, raft::MessageForm::k34);
  CHECK(bytes.size() == 8 + 2 + 10 + 2 + 2 + 2 + 2 + 2 + 12 + 2 + 2);
  CHECK(bytes.ends_with(from_hex("2002 2800 3000 4000 4a0a12080a02280010001800 5000 5800")));
  CHECK(read_all(bytes) == std::vector{m});
}

TEST_CASE("sparse messages of 3.7 are read") {
  const auto messages = read_all(from_hex("0000000000000008 0806 1001 1802 2003"));
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].type == raft::MessageType::kVoteResp);
  CHECK(messages[0].to == raft::NodeId(1));
  CHECK(messages[0].from == raft::NodeId(2));
  CHECK(messages[0].term == raft::Term(3));
  CHECK_FALSE(messages[0].has_snapshot);
}

TEST_CASE("what is written is read, however it is cut") {
  SeededRandom random(1);
  for (int round = 0; round < 50; ++round) {
    std::string bytes;
    std::vector<raft::Message> sent;
    const auto form = round % 2 == 0 ? raft::MessageForm::k34 : raft::MessageForm::k36;
    for (int i = 0; i < 20; ++i) {
      if (random.below(4) == 0) write_message_frame(link_heartbeat(), form, bytes);
      sent.push_back(peer::testing::random_message(random));
      write_message_frame(sent.back(), form, bytes);
    }
    MessageStreamReader reader(1u << 20);
    std::vector<raft::Message> got;
    peer::testing::in_pieces(random, bytes,
                             [&](ByteView piece) { REQUIRE(reader.receive(piece, got)); });
    CHECK(got == sent);
  }
}

TEST_CASE("a length above the limit is refused before a byte of it is held") {
  MessageStreamReader reader(100);
  std::vector<raft::Message> messages;
  const auto read = reader.receive(from_hex("0000000000000065"), messages);
  REQUIRE_FALSE(read);
  CHECK(read.error().code == Code::kResourceExhausted);
  CHECK(read.error().message == "message stream: message of 101 bytes (limit 100)");
}

TEST_CASE("only what has come is held, whatever length was announced") {
  MessageStreamReader reader(512u << 20);
  std::vector<raft::Message> messages;
  REQUIRE(reader.receive(from_hex("0000000020000000 0102030405"), messages));
  CHECK(reader.held_bytes() == 5);
}

TEST_CASE("garbage ends the stream") {
  MessageStreamReader reader(100);
  std::vector<raft::Message> messages;
  CHECK(reader.receive(from_hex("0000000000000002 ffff"), messages).error().code ==
        Code::kCorruption);
}
