#include "truss/raft/codec.h"

#include <optional>

#include "truss/common/coding.h"

namespace truss::raft {
namespace {

constexpr int kMaxResponseDepth = 2;

Unexpected malformed(const char* what) {
  return fail(Code::kCorruption, std::string("raft ") + what + ": malformed protobuf");
}

Unexpected unknown(const char* what, std::uint64_t value) {
  return fail(Code::kCorruption,
              std::string("raft ") + what + ": unknown type " + std::to_string(value));
}

/// A message field: tag, length, then what `write(std::string&)` appends.
template <class T>
void put_message(std::uint32_t field, const T& value, std::string& out) {
  std::string nested;
  encode(value, nested);
  PbWriter(out).put_bytes(field, nested);
}

/// Field 7 of a message. Entries are most of what is sent: their bytes are copied once.
void put_entry(const Entry& entry, std::string& out) {
  char head[1 + 10];
  head[0] = 0x3a;
  out.append(head, static_cast<std::size_t>(write_varint(head + 1, encoded_size(entry)) - head));
  encode(entry, out);
}

/// One repeated uint64 field as it came: a single value, or packed values.
bool read_ids(PbReader& in, std::vector<NodeId>& ids) {
  if (in.type() == WireType::kVarint) return ids.emplace_back(in.varint()), true;
  const ByteView packed = in.bytes();
  std::uint64_t value = 0;
  int shift = 0;
  for (const char c : packed) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (shift > 63 || (shift == 63 && byte > 1)) return false;
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    shift += 7;
    if (byte < 0x80) {
      ids.emplace_back(value);
      value = 0;
      shift = 0;
    }
  }
  return shift == 0;
}

/// An enum value if `raw` is one of [0, last].
template <class Enum>
std::optional<Enum> known(std::uint64_t raw, Enum last) {
  if (raw > static_cast<std::uint64_t>(last)) return std::nullopt;
  return static_cast<Enum>(raw);
}

// merge() adds one encoded message to a value: a sub-message that comes twice is
// merged, which is what etcd's decoders do.

bool merge(ConfState& state, ByteView bytes) {
  PbReader in(bytes);
  bool ok = true;
  while (ok && in.next()) {
    switch (in.field()) {
      case 1:
        ok = read_ids(in, state.voters);
        break;
      case 2:
        ok = read_ids(in, state.learners);
        break;
      case 3:
        ok = read_ids(in, state.voters_outgoing);
        break;
      case 4:
        ok = read_ids(in, state.learners_next);
        break;
      case 5:
        state.auto_leave = in.varint() != 0;
        break;
      default:
        break;
    }
  }
  return ok && in.ok();
}

bool merge(SnapshotMetadata& metadata, ByteView bytes) {
  PbReader in(bytes);
  bool ok = true;
  while (ok && in.next()) {
    switch (in.field()) {
      case 1:
        ok = merge(metadata.conf_state, in.bytes());
        break;
      case 2:
        metadata.index = Index(in.varint());
        break;
      case 3:
        metadata.term = Term(in.varint());
        break;
      default:
        break;
    }
  }
  return ok && in.ok();
}

bool merge(Snapshot& snapshot, ByteView bytes) {
  PbReader in(bytes);
  bool ok = true;
  while (ok && in.next()) {
    switch (in.field()) {
      case 1:
        snapshot.data = SharedBytes::copy(in.bytes());
        break;
      case 2:
        ok = merge(snapshot.metadata, in.bytes());
        break;
      default:
        break;
    }
  }
  return ok && in.ok();
}

/// Decodes one `changes` element of a ConfChangeV2.
Result<ConfChangeSingle> decode_conf_change_single(ByteView bytes) {
  ConfChangeSingle change;
  PbReader in(bytes);
  while (in.next()) {
    if (in.field() == 1) {
      const std::uint64_t raw = in.varint();
      const auto type = known(raw, ConfChangeType::kAddLearnerNode);
      if (!type) return unknown("conf change", raw);
      change.type = *type;
    } else if (in.field() == 2) {
      change.node_id = NodeId(in.varint());
    }
  }
  if (!in.ok()) return malformed("conf change");
  return change;
}

Result<Message> decode_message_at(ByteView bytes, int depth);

/// The fields of a message that are more than one number. False if the field is another one.
Result<bool> read_message_part(PbReader& in, Message& m, int depth) {
  switch (in.field()) {
    case 7: {
      TRUSS_ASSIGN(Entry entry, decode_entry(in.bytes()));
      m.entries.push_back(std::move(entry));
      return true;
    }
    case 9:
      if (!merge(m.snapshot, in.bytes())) return malformed("message snapshot");
      return true;
    case 12:
      m.context = SharedBytes::copy(in.bytes());
      return true;
    case 14: {
      if (depth >= kMaxResponseDepth) return malformed("message responses");
      TRUSS_ASSIGN(Message response, decode_message_at(in.bytes(), depth + 1));
      m.responses.push_back(std::move(response));
      return true;
    }
    default:
      return false;
  }
}

Result<> read_message_number(PbReader& in, Message& m) {
  switch (in.field()) {
    case 1: {
      const std::uint64_t raw = in.varint();
      m.type = known(raw, MessageType::kForgetLeader).value_or(MessageType::kUnknown);
      break;
    }
    case 2:
      m.to = NodeId(in.varint());
      break;
    case 3:
      m.from = NodeId(in.varint());
      break;
    case 4:
      m.term = Term(in.varint());
      break;
    case 5:
      m.log_term = Term(in.varint());
      break;
    case 6:
      m.index = Index(in.varint());
      break;
    case 8:
      m.commit = Index(in.varint());
      break;
    case 10:
      m.reject = in.varint() != 0;
      break;
    case 11:
      m.reject_hint = Index(in.varint());
      break;
    case 13:
      m.vote = NodeId(in.varint());
      break;
    default:
      break;
  }
  return {};
}

Result<Message> decode_message_at(ByteView bytes, int depth) {
  Message m;
  PbReader in(bytes);
  while (in.next()) {
    TRUSS_ASSIGN(const bool taken, read_message_part(in, m, depth));
    if (!taken) TRUSS_TRY(read_message_number(in, m));
  }
  if (!in.ok()) return malformed("message");
  m.has_snapshot = m.snapshot != Snapshot{};
  return m;
}

}  // namespace

char* write_entry_head(char* p, const Entry& entry) {
  *p++ = 0x08;
  p = write_varint(p, static_cast<std::uint64_t>(entry.type));
  *p++ = 0x10;
  p = write_varint(p, entry.term.value());
  *p++ = 0x18;
  p = write_varint(p, entry.index.value());
  if (!entry.data.empty()) {
    *p++ = 0x22;
    p = write_varint(p, entry.data.size());
  }
  return p;
}

std::size_t encoded_size(const Entry& entry) {
  const std::size_t data = entry.data.size();
  return 3 + varint_size(static_cast<std::uint64_t>(entry.type)) + varint_size(entry.term.value()) +
         varint_size(entry.index.value()) + (data == 0 ? 0 : 1 + varint_size(data) + data);
}

void encode(const Entry& entry, std::string& out) {
  char head[kMaxEntryHeadBytes];
  out.append(head, static_cast<std::size_t>(write_entry_head(head, entry) - head));
  out.append(entry.data.view());
}

void encode(const HardState& state, std::string& out) {
  PbWriter w(out);
  w.put_varint(1, state.term.value());
  w.put_varint(2, state.vote.value());
  w.put_varint(3, state.commit.value());
}

void encode(const ConfState& state, std::string& out) {
  PbWriter w(out);
  for (const NodeId id : state.voters) w.put_varint(1, id.value());
  for (const NodeId id : state.learners) w.put_varint(2, id.value());
  for (const NodeId id : state.voters_outgoing) w.put_varint(3, id.value());
  for (const NodeId id : state.learners_next) w.put_varint(4, id.value());
  w.put_varint(5, state.auto_leave ? 1 : 0);
}

void encode(const SnapshotMetadata& metadata, std::string& out) {
  put_message(1, metadata.conf_state, out);
  PbWriter w(out);
  w.put_varint(2, metadata.index.value());
  w.put_varint(3, metadata.term.value());
}

void encode(const Snapshot& snapshot, std::string& out) {
  PbWriter(out).field_bytes(1, snapshot.data.view());
  put_message(2, snapshot.metadata, out);
}

void encode(const ConfChange& change, std::string& out) {
  PbWriter w(out);
  w.put_varint(1, change.id);
  w.put_varint(2, static_cast<std::uint64_t>(change.type));
  w.put_varint(3, change.node_id.value());
  w.field_bytes(4, change.context.view());
}

void encode(const ConfChangeSingle& change, std::string& out) {
  PbWriter w(out);
  w.put_varint(1, static_cast<std::uint64_t>(change.type));
  w.put_varint(2, change.node_id.value());
}

void encode(const ConfChangeV2& change, std::string& out) {
  PbWriter w(out);
  w.put_varint(1, static_cast<std::uint64_t>(change.transition));
  for (const ConfChangeSingle& single : change.changes) put_message(2, single, out);
  w.field_bytes(3, change.context.view());
}

void encode(const Message& m, MessageForm form, std::string& out) {
  PbWriter w(out);
  w.put_varint(1, static_cast<std::uint64_t>(m.type));
  w.put_varint(2, m.to.value());
  w.put_varint(3, m.from.value());
  w.put_varint(4, m.term.value());
  w.put_varint(5, m.log_term.value());
  w.put_varint(6, m.index.value());
  for (const Entry& entry : m.entries) put_entry(entry, out);
  w.put_varint(8, m.commit.value());
  if (form == MessageForm::k34 || m.has_snapshot) put_message(9, m.snapshot, out);
  w.put_varint(10, m.reject ? 1 : 0);
  w.put_varint(11, m.reject_hint.value());
  w.field_bytes(12, m.context.view());
  if (form == MessageForm::k34) return;
  w.put_varint(13, m.vote.value());
  for (const Message& response : m.responses) w.put_bytes(14, encoded(response, form));
}

std::string encoded(const Message& message, MessageForm form) {
  std::string out;
  encode(message, form, out);
  return out;
}

Result<Entry> decode_entry(ByteView bytes) {
  Entry entry;
  PbReader in(bytes);
  while (in.next()) {
    switch (in.field()) {
      case 1: {
        const std::uint64_t raw = in.varint();
        const auto type = known(raw, EntryType::kConfChangeV2);
        if (!type) return unknown("entry", raw);
        entry.type = *type;
        break;
      }
      case 2:
        entry.term = Term(in.varint());
        break;
      case 3:
        entry.index = Index(in.varint());
        break;
      case 4:
        entry.data = SharedBytes::copy(in.bytes());
        break;
      default:
        break;
    }
  }
  if (!in.ok()) return malformed("entry");
  return entry;
}

Result<HardState> decode_hard_state(ByteView bytes) {
  HardState state;
  PbReader in(bytes);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        state.term = Term(in.varint());
        break;
      case 2:
        state.vote = NodeId(in.varint());
        break;
      case 3:
        state.commit = Index(in.varint());
        break;
      default:
        break;
    }
  }
  if (!in.ok()) return malformed("hard state");
  return state;
}

Result<ConfState> decode_conf_state(ByteView bytes) {
  ConfState state;
  if (!merge(state, bytes)) return malformed("conf state");
  return state;
}

Result<SnapshotMetadata> decode_snapshot_metadata(ByteView bytes) {
  SnapshotMetadata metadata;
  if (!merge(metadata, bytes)) return malformed("snapshot metadata");
  return metadata;
}

Result<Snapshot> decode_snapshot(ByteView bytes) {
  Snapshot snapshot;
  if (!merge(snapshot, bytes)) return malformed("snapshot");
  return snapshot;
}

Result<ConfChange> decode_conf_change(ByteView bytes) {
  ConfChange change;
  PbReader in(bytes);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        change.id = in.varint();
        break;
      case 2: {
        const std::uint64_t raw = in.varint();
        const auto type = known(raw, ConfChangeType::kAddLearnerNode);
        if (!type) return unknown("conf change", raw);
        change.type = *type;
        break;
      }
      case 3:
        change.node_id = NodeId(in.varint());
        break;
      case 4:
        change.context = SharedBytes::copy(in.bytes());
        break;
      default:
        break;
    }
  }
  if (!in.ok()) return malformed("conf change");
  return change;
}

Result<ConfChangeV2> decode_conf_change_v2(ByteView bytes) {
  ConfChangeV2 change;
  PbReader in(bytes);
  while (in.next()) {
    switch (in.field()) {
      case 1: {
        const std::uint64_t raw = in.varint();
        const auto transition = known(raw, ConfChangeTransition::kJointExplicit);
        if (!transition) return unknown("conf change transition", raw);
        change.transition = *transition;
        break;
      }
      case 2: {
        TRUSS_ASSIGN(const ConfChangeSingle single, decode_conf_change_single(in.bytes()));
        change.changes.push_back(single);
        break;
      }
      case 3:
        change.context = SharedBytes::copy(in.bytes());
        break;
      default:
        break;
    }
  }
  if (!in.ok()) return malformed("conf change v2");
  return change;
}

Result<Message> decode_message(ByteView bytes) { return decode_message_at(bytes, 0); }

}  // namespace truss::raft
