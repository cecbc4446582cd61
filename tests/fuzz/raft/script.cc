#include "script.h"

#include <algorithm>

#include "truss/raft/codec.h"

namespace truss::raft {

namespace {

/// `base` moved by a signed byte, whose extremes stand for the ends of the range.
std::uint64_t near(std::uint64_t base, std::uint8_t by) {
  if (by == 0x7f) return 0;
  if (by == 0x80) return UINT64_MAX;
  if (by == 0x81) return std::uint64_t{1} << 62;
  return base + static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::int8_t>(by)));
}

NodeId node_of(std::uint8_t byte) { return NodeId{byte == 0xff ? UINT64_MAX : byte % 6}; }

ConfState conf_state_of(Script& script) {
  ConfState out;
  const std::uint8_t members = script.byte();
  for (std::uint64_t id = 1; id <= 5; ++id) {
    if ((members >> id & 1) != 0) out.voters.push_back(NodeId{id});
  }
  const std::uint8_t others = script.byte();
  for (std::uint64_t id = 1; id <= 4; ++id) {
    if ((others >> id & 1) != 0) out.voters_outgoing.push_back(NodeId{id});
    if ((others >> (id + 3) & 1) != 0) out.learners.push_back(NodeId{id});
  }
  out.auto_leave = (members & 1) != 0;
  return out;
}

void add_entries(Script& script, const BasicStatus& status, Message& m) {
  const std::uint8_t shape = script.byte();
  Index index = m.index;
  for (int i = 0; i < (shape & 3); ++i) {
    Entry entry;
    entry.index = (shape & 0x80) != 0 ? Index{near(index.value(), script.byte())} : ++index;
    entry.term = Term{near(status.hard_state.term.value(), script.byte())};
    entry.type = static_cast<EntryType>((shape >> 2 & 3) % 3);
    entry.data = SharedBytes::copy(script.take(shape >> 4 & 7));
    m.entries.push_back(std::move(entry));
  }
}

}  // namespace

std::uint8_t Script::byte() {
  const ByteView one = take(1);
  return one.empty() ? 0 : static_cast<std::uint8_t>(one.front());
}

ByteView Script::take(std::size_t size) {
  const ByteView out = rest_.substr(0, size);
  rest_.remove_prefix(out.size());
  return out;
}

Message near_message(Script& script, const BasicStatus& status) {
  Message m;
  m.type = static_cast<MessageType>(script.byte() % 24);
  m.from = node_of(script.byte());
  m.to = node_of(script.byte());
  m.term = Term{near(status.hard_state.term.value(), script.byte())};
  m.log_term = Term{near(m.term.value(), script.byte())};
  m.index = Index{near(status.last_index.value(), script.byte())};
  m.commit = Index{near(status.hard_state.commit.value(), script.byte())};
  const std::uint8_t flags = script.byte();
  m.reject = (flags & 1) != 0;
  m.has_snapshot = (flags & 2) != 0;
  if (m.reject) m.reject_hint = Index{near(status.last_index.value(), script.byte())};
  if ((flags & 4) != 0) m.context = SharedBytes::copy(script.take(8));
  if ((flags & 8) != 0) add_entries(script, status, m);
  if ((flags & 16) != 0) m.context = SharedBytes::copy("CampaignTransfer");
  if (!m.has_snapshot) return m;
  m.snapshot.metadata.index = Index{near(status.last_index.value(), script.byte())};
  m.snapshot.metadata.term = Term{near(m.term.value(), script.byte())};
  m.snapshot.metadata.conf_state = conf_state_of(script);
  return m;
}

std::optional<Message> wire_message(Script& script) {
  Result<Message> m = decode_message(script.take(script.byte()));
  if (!m) return std::nullopt;
  return *std::move(m);
}

}  // namespace truss::raft
