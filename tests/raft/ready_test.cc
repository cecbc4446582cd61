#include "truss/raft/ready.h"

#include <doctest/doctest.h>

#include "cluster.h"

using namespace truss::raft;

TEST_CASE("a message list hands out fresh messages, whatever was in its slots before") {
  MessageList list;
  Message& full = list.add();
  full = message(MessageType::kSnap, 1, 2, 3);
  full.log_term = Term{4};
  full.index = full.commit = full.reject_hint = Index{5};
  full.vote = NodeId{6};
  full.reject = full.has_snapshot = true;
  full.snapshot.metadata.index = Index{7};
  full.context = bytes("c");
  full.entries = {entry(1, 1, "e")};
  full.responses.emplace_back();
  Message& second = list.add();
  second = message(MessageType::kApp, 1, 2, 3);
  second.log_term = Term{4};
  second.index = second.commit = second.reject_hint = Index{5};
  second.vote = NodeId{6};
  second.reject = true;
  second.context = bytes("c");
  second.entries = {entry(1, 1, "e")};
  list.clear();
  CHECK(list.empty());
  for (int i = 0; i < 2; ++i) {
    const Message& m = list.add();
    CHECK(m.type == MessageType::kHup);
    CHECK((m.to == kNoNode && m.from == kNoNode && m.vote == kNoNode));
    CHECK((m.term == Term{} && m.log_term == Term{}));
    CHECK((m.index == Index{} && m.commit == Index{} && m.reject_hint == Index{}));
    CHECK((m.entries.empty() && m.responses.empty() && m.context.empty() && m.snapshot.empty()));
    CHECK_FALSE((m.reject || m.has_snapshot));
  }
}

TEST_CASE("messages stay where they are while others are added, and move between lists whole") {
  MessageList list;
  Message& first = list.add();
  first = message(MessageType::kApp, 1, 2, 3);
  for (int i = 0; i < 100; ++i) list.add();
  CHECK(&first == &list[0]);
  MessageList other;
  other.take(list, 0);
  CHECK(&first == &other[0]);
  CHECK(list[0].type == MessageType::kHup);
  CHECK(list.size() == 101);
}
