#include "truss/peer/snapshot_envelope.h"

#include <doctest/doctest.h>

#include "truss/test_support/hex.h"

using namespace truss;
using namespace truss::peer;
using test_support::from_hex;

namespace {

raft::Message snapshot_message() {
  raft::Message m;
  m.type = raft::MessageType::kSnap;
  m.to = raft::NodeId(1);
  m.from = raft::NodeId(2);
  m.term = raft::Term(3);
  m.snapshot.data = SharedBytes::copy("{}");
  m.snapshot.metadata.index = raft::Index(32);
  m.snapshot.metadata.term = raft::Term(3);
  m.snapshot.metadata.conf_state.voters = {raft::NodeId(1), raft::NodeId(2)};
  m.has_snapshot = true;
  return m;
}

}  // namespace

TEST_CASE("the database begins where the message ends, however the body is cut") {
  std::string body;
  write_snapshot_envelope(snapshot_message(), raft::MessageForm::k34, body);
  const std::string database = "database bytes";
  body += database;
  for (std::size_t cut = 1; cut < body.size(); ++cut) {
    SnapshotEnvelopeReader reader(1u << 20);
    std::optional<raft::Message> message;
    std::string rest;
    for (ByteView piece : {ByteView(body).substr(0, cut), ByteView(body).substr(cut)}) {
      if (!message) message = reader.receive(piece).value();
      rest += piece;
    }
    REQUIRE(message.has_value());
    CHECK(*message == snapshot_message());
    CHECK(rest == database);
  }
}

TEST_CASE("an envelope above the limit is refused with etcd's words") {
  SnapshotEnvelopeReader reader(64u << 20);
  const std::string bytes = from_hex("0000000004000001");
  ByteView view = bytes;
  const auto read = reader.receive(view);
  REQUIRE_FALSE(read);
  CHECK(read.error().message == "rafthttp: error limit exceeded");
}

TEST_CASE("an envelope of garbage is refused") {
  SnapshotEnvelopeReader reader(1u << 20);
  const std::string bytes = from_hex("0000000000000001 ff");
  ByteView view = bytes;
  CHECK(reader.receive(view).error().code == Code::kCorruption);
}
