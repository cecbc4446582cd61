#include "sense.h"

#include <algorithm>

#include "frame.h"
#include "truss/raft/codec.h"

namespace truss::waltool {
namespace {

// Terms count elections; ids, which a hard state has in the place of an entry's term, are random
// numbers of 64 bits.
constexpr raft::Term kMaxSaneTerm{std::uint64_t{1} << 48};

std::string number(auto strong) { return std::to_string(strong.value()); }

}  // namespace

std::string Sense::take(const wal::Record& record, std::uint64_t position) {
  using wal::RecordType;
  if (position == 0 && record.type != RecordType::kCrc)
    return "a segment must begin with a CRC record";
  if (position == 1 && record.type != RecordType::kMetadata && !hole_)
    return "a segment's second record must be METADATA";
  switch (record.type) {
    case RecordType::kMetadata:
      return take_metadata(record.data);
    case RecordType::kEntry:
      return take_entry(record.data);
    case RecordType::kState:
      return take_state(record.data);
    case RecordType::kSnapshot:
      return take_snapshot(record.data);
    case RecordType::kCrc:
      return record.data.empty() ? "" : "a CRC record with data";
  }
  return "unknown record type " + std::to_string(static_cast<std::int64_t>(record.type));
}

std::string Sense::take_entry(ByteView data) {
  const auto entry = peek_entry(data);
  if (!entry) return "an entry that does not decode";
  const auto& head = entry->head;
  if (head.index == raft::Index(0) || head.term == raft::Term(0) || head.term > kMaxSaneTerm)
    return "an entry of index " + number(head.index) + " and term " + number(head.term);
  if (!hole_ && head.index <= state_.commit)
    return "entry " + number(head.index) + " again, though committed up to " +
           number(state_.commit);
  if (!hole_ && head.index == last_ + 1 && head.term < last_term_)
    return "entry " + number(head.index) + " goes back to term " + number(head.term);
  last_ = head.index;
  last_term_ = head.term;
  hole_ = false;
  return {};
}

std::string Sense::take_state(ByteView data) {
  const auto state = raft::decode_hard_state(data);
  if (!state) return "a hard state that does not decode";
  if (state->term == raft::Term(0) || state->term > kMaxSaneTerm)
    return "a hard state of term " + number(state->term);
  if (state->term < state_.term || state->commit < state_.commit)
    return "a hard state that goes back, to term " + number(state->term) + " and commit " +
           number(state->commit);
  if (!hole_ && state->commit > last_)
    return "a hard state that commits " + number(state->commit) + ", beyond the last entry " +
           number(last_);
  if (!hole_ && state->term == state_.term && state_.vote != raft::kNoNode &&
      state->vote != state_.vote)
    return "a second vote in term " + number(state->term);
  state_ = *state;
  return {};
}

std::string Sense::take_metadata(ByteView data) {
  if (!metadata_) {
    if (!wal::decode_identity(data)) return "metadata that does not decode";
    metadata_ = std::string(data);
    return {};
  }
  return *metadata_ == data ? "" : "metadata that differs from before";
}

std::string Sense::take_snapshot(ByteView data) {
  const auto snapshot = wal::decode_snapshot_record(data);
  if (!snapshot) return "a snapshot record that does not decode";
  if (snapshot->mark.term > kMaxSaneTerm)
    return "a snapshot of term " + number(snapshot->mark.term);
  if (snapshot->mark.index > last_) {
    last_ = snapshot->mark.index;
    last_term_ = snapshot->mark.term;
  }
  return {};
}

}  // namespace truss::waltool
