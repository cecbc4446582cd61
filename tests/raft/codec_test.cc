#include "truss/raft/codec.h"

#include <doctest/doctest.h>

#include "truss/common/coding.h"
#include "truss/test_support/hex.h"

using namespace truss;
using namespace truss::raft;
using test_support::from_hex;

namespace {

constexpr NodeId kFirst{0xd906e0ff60cc6fb6};

Entry entry(std::uint64_t term, std::uint64_t index, ByteView data = {}) {
  return {.term = Term(term), .index = Index(index), .data = SharedBytes::copy(data)};
}

/// A message with something in every field.
Message full_message() {
  Message m;
  m.type = MessageType::kSnap;
  m.to = NodeId(UINT64_MAX);
  m.from = kFirst;
  m.term = Term(7);
  m.log_term = Term(6);
  m.index = Index(1234567);
  m.entries = {entry(7, 1234568, "abc"), entry(7, 1234569)};
  m.entries[1].type = EntryType::kConfChange;
  m.commit = Index(1234560);
  m.snapshot.data = SharedBytes::copy("{}");
  m.snapshot.metadata = {.conf_state = {.voters = {NodeId(1), kFirst},
                                        .learners = {NodeId(3)},
                                        .voters_outgoing = {NodeId(4)},
                                        .learners_next = {NodeId(5)},
                                        .auto_leave = true},
                         .index = Index(99),
                         .term = Term(5)};
  m.has_snapshot = true;
  m.reject = true;
  m.reject_hint = Index(300);
  m.context = SharedBytes::copy("ctx");
  m.vote = NodeId(2);
  Message response;
  response.type = MessageType::kAppResp;
  response.term = Term(7);
  m.responses = {response};
  return m;
}

}  // namespace

TEST_CASE("entries, states and conf changes have the bytes of a real log") {
  const std::string context =
      R"({"id":15638434143535919030,"peerURLs":["http://127.0.0.1:24801"],"name":"s1"})";
  const ConfChange change{.node_id = kFirst, .context = SharedBytes::copy(context)};
  const std::string change_bytes = from_hex("08001000 18b6dfb186f69fb883d901 224d") + context;
  CHECK(encoded(change) == change_bytes);
  CHECK(decode_conf_change(change_bytes).value() == change);

  Entry first = entry(1, 1, change_bytes);
  first.type = EntryType::kConfChange;
  const std::string first_bytes = from_hex("0801 1001 1801 225e") + change_bytes;
  CHECK(encoded(first) == first_bytes);
  CHECK(encoded_size(first) == first_bytes.size());
  CHECK(decode_entry(first_bytes).value() == first);

  CHECK(encoded(entry(2, 2)) == from_hex("0800 1002 1802"));
  CHECK(encoded(HardState{.term = Term(1), .commit = Index(1)}) == from_hex("0801 1000 1801"));
  const SnapshotMetadata metadata{
      .conf_state = {.voters = {kFirst}}, .index = Index(201), .term = Term(2)};
  const std::string metadata_bytes = from_hex("0a0d 08b6dfb186f69fb883d901 2800 10c901 1802");
  CHECK(encoded(metadata) == metadata_bytes);
  CHECK(decode_snapshot_metadata(metadata_bytes).value() == metadata);
}

TEST_CASE("link heartbeats have the bytes of each release and are read in all three") {
  Message heartbeat;
  heartbeat.type = MessageType::kHeartbeat;
  const std::string of_34 =
      from_hex("0808 1000 1800 2000 2800 3000 4000 4a0a12080a02280010001800 5000 5800");
  const std::string of_36 = from_hex("0808 1000 1800 2000 2800 3000 4000 5000 5800 6800");
  CHECK(encoded(heartbeat, MessageForm::k34) == of_34);
  CHECK(encoded(heartbeat, MessageForm::k36) == of_36);
  for (const std::string& bytes : {of_34, of_36, from_hex("0808")}) {
    CHECK(decode_message(bytes).value() == heartbeat);
  }
}

TEST_CASE("messages have the bytes of each release, from one table of fields") {
  struct Case {
    const char* name;
    Message message;
    std::string head;  // fields 1 to 8
    std::string snapshot;
    std::string tail;  // fields 10 to 12
  };
  const auto of = [](MessageType type, std::uint64_t term) {
    Message m;
    m.type = type;
    m.to = NodeId(1);
    m.from = NodeId(2);
    m.term = Term(term);
    return m;
  };
  std::vector<Case> cases;
  Message answer = of(MessageType::kHeartbeatResp, 2);  // seen on the wire of 3.4.23: 47 bytes
  answer.to = kFirst;
  answer.from = NodeId(std::uint64_t{1} << 62);
  cases.push_back({"heartbeat answer", answer,
                   "0809 10b6dfb186f69fb883d901 18808080808080808040 2002 2800 3000 4000", "",
                   "5000 5800"});
  Message append = of(MessageType::kApp, 5);
  append.log_term = Term(4);
  append.index = Index(7);
  append.commit = Index(6);
  append.entries = {entry(5, 8, "ab"), entry(5, 9)};
  cases.push_back({"append", append,
                   "0803 1001 1802 2005 2804 3007 3a0a 0800 1005 1808 2202 6162"
                   "3a06 0800 1005 1809 4006",
                   "", "5000 5800"});
  Message rejected = of(MessageType::kAppResp, 5);
  rejected.log_term = Term(3);
  rejected.index = Index(7);
  rejected.reject = true;
  rejected.reject_hint = Index(4);
  cases.push_back(
      {"refused append", rejected, "0804 1001 1802 2005 2803 3007 4000", "", "5001 5804"});
  Message vote = of(MessageType::kVote, 6);
  vote.log_term = Term(5);
  vote.index = Index(9);
  vote.context = SharedBytes::copy("CampaignTransfer");
  cases.push_back({"vote of a transfer", vote, "0805 1001 1802 2006 2805 3009 4000", "",
                   "5000 5800 6210 43616d706169676e5472616e73666572"});
  Message proposal = of(MessageType::kProp, 0);
  proposal.entries = {entry(0, 0, "x")};
  cases.push_back({"forwarded proposal", proposal,
                   "0802 1001 1802 2000 2800 3000 3a09 0800 1000 1800 2201 78 4000", "",
                   "5000 5800"});
  Message snap = of(MessageType::kSnap, 5);
  snap.has_snapshot = true;
  snap.snapshot = {SharedBytes::copy("{}"),
                   {{.voters = {NodeId(1), NodeId(2)}}, Index(99), Term(4)}};
  cases.push_back({"snapshot", snap, "0807 1001 1802 2005 2800 3000 4000",
                   "4a12 0a027b7d 120c 0a06080108022800 1063 1804", "5000 5800"});
  const std::string none_of_34 = "4a0a 1208 0a02 2800 1000 1800";
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const std::string of_34 =
        from_hex(c.head + (c.snapshot.empty() ? none_of_34 : c.snapshot) + c.tail);
    const std::string of_36 = from_hex(c.head + c.snapshot + c.tail + "6800");
    CHECK(encoded(c.message, MessageForm::k34) == of_34);
    CHECK(encoded(c.message, MessageForm::k36) == of_36);
    CHECK(decode_message(of_34).value() == c.message);
    CHECK(decode_message(of_36).value() == c.message);
  }
  CHECK(encoded(answer, MessageForm::k34).size() == 47);
}

TEST_CASE("a message with every field comes back equal") {
  const Message m = full_message();
  CHECK(decode_message(encoded(m, MessageForm::k36)).value() == m);

  Message without_36_fields = m;
  without_36_fields.vote = kNoNode;
  without_36_fields.responses.clear();
  CHECK(decode_message(encoded(m, MessageForm::k34)).value() == without_36_fields);
}

TEST_CASE("an entry is its head, then its data") {
  const Entry e = entry(300, 70000, std::string(200, 'x'));
  char head[kMaxEntryHeadBytes];
  const auto size = static_cast<std::size_t>(write_entry_head(head, e) - head);
  CHECK(std::string(head, size) + std::string(e.data.view()) == encoded(e));

  Entry widest{.term = Term(UINT64_MAX), .index = Index(UINT64_MAX), .data = e.data};
  CHECK(static_cast<std::size_t>(write_entry_head(head, widest) - head) <= kMaxEntryHeadBytes);
}

TEST_CASE("readers take what other releases and other encoders write") {
  SUBCASE("absent fields are zero") {
    CHECK(decode_entry("").value() == Entry{});
    CHECK(decode_hard_state("").value().empty());
  }
  SUBCASE("any order, unknown fields, groups") {
    CHECK(decode_entry(from_hex("1805 a206 0178 1002 a30610 01a406 0801")).value().index ==
          Index(5));
  }
  SUBCASE("packed and unpacked ids") {
    const ConfState expected{.voters = {NodeId(1), NodeId(300), NodeId(2)}};
    CHECK(decode_conf_state(from_hex("0a03 01ac02 0802")).value() == expected);
    CHECK(decode_conf_state(from_hex("0801 08ac02 0802 2800")).value() == expected);
    CHECK_FALSE(decode_conf_state(from_hex("0a01 ac")).has_value());
    CHECK_FALSE(decode_conf_state(from_hex("0a0b ffffffffffffffffffff01")).has_value());
  }
  SUBCASE("a scalar that comes twice: the last; a message that comes twice: merged") {
    CHECK(decode_hard_state(from_hex("0801 0802")).value().term == Term(2));
    const auto merged = decode_snapshot(from_hex("1206 0a02 0801 1005 1204 0a02 0802")).value();
    CHECK(merged.metadata.conf_state.voters == std::vector{NodeId(1), NodeId(2)});
    CHECK(merged.metadata.index == Index(5));
  }
}

TEST_CASE("readers refuse what would be misread") {
  CHECK(decode_entry(from_hex("0803")).error().message == "raft entry: unknown type 3");
  CHECK(decode_entry(from_hex("2005")).error().code == Code::kCorruption);       // data as a number
  CHECK(decode_entry(from_hex("1201 05")).error().code == Code::kCorruption);    // term as bytes
  CHECK(decode_entry(from_hex("2205 6162")).error().code == Code::kCorruption);  // past the end
  CHECK(decode_message(from_hex("0818"))->type == MessageType::kUnknown);
  CHECK(decode_message(from_hex("08ffffffffffffffffff01"))->type == MessageType::kUnknown);
  CHECK_FALSE(decode_conf_change(from_hex("1004")).has_value());
  CHECK_FALSE(decode_message(from_hex("3a02 0803")).has_value());  // an entry of unknown type
}

TEST_CASE("responses nest two deep at most") {
  std::string bytes;
  for (int depth = 0; depth < 3; ++depth) {
    std::string outer;
    PbWriter(outer).put_bytes(14, bytes);
    bytes = outer;
    CHECK(decode_message(bytes).has_value() == (depth < 2));
  }
}

TEST_CASE("a conf change v2 comes back equal") {
  const ConfChangeV2 change{.transition = ConfChangeTransition::kJointExplicit,
                            .changes = {{ConfChangeType::kAddLearnerNode, NodeId(9)},
                                        {ConfChangeType::kRemoveNode, kFirst}},
                            .context = SharedBytes::copy("c")};
  CHECK(decode_conf_change_v2(encoded(change)).value() == change);
  CHECK_FALSE(decode_conf_change_v2(from_hex("0803")).has_value());
}

TEST_CASE("every truncation and every flipped bit of a message is read or refused in peace") {
  const std::string bytes = encoded(full_message(), MessageForm::k36);
  int refused = 0;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    refused += decode_message(ByteView(bytes).substr(0, size)).has_value() ? 0 : 1;
  }
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    const auto message = decode_message(flipped);
    if (message) CHECK(decode_message(encoded(*message, MessageForm::k36)).value() == *message);
    refused += message.has_value() ? 0 : 1;
  }
  CHECK(refused > 100);
}
