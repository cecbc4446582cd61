#include "replay.h"

#include <algorithm>

#include "truss/raft/codec.h"
#include "truss/wal/segment.h"

namespace truss::wal {
namespace {

constexpr std::size_t kMaxFindings = 32;

std::string number(raft::Index index) { return std::to_string(index.value()); }
std::string number(raft::Term term) { return std::to_string(term.value()); }

/// A payload that its CRC vouches for but that does not decode.
Unexpected bad_payload(const LogReader& reader, const Error& error) {
  return Unexpected(reader.damage(reader.place(), error.message));
}

}  // namespace

void Replay::note(const LogReader& reader, const Place& place, const std::string& finding) {
  auto& findings = result_.report.findings;
  if (findings.size() >= kMaxFindings) return;
  findings.push_back("wal " + reader.path_of(place) + ": " + finding + " at offset " +
                     std::to_string(place.offset));
}

Result<> Replay::add(const LogReader& reader, const Record& record) {
  ++result_.report.records;
  switch (record.type) {
    case RecordType::kMetadata:
      return add_metadata(reader, record.data);
    case RecordType::kEntry:
      return add_entry(reader, record.data);
    case RecordType::kState:
      return add_state(reader, record.data);
    case RecordType::kSnapshot:
      return add_snapshot(reader, record.data);
    case RecordType::kCrc:
      return {};
  }
  return Unexpected(reader.damage(
      reader.place(),
      "unexpected block type " + std::to_string(static_cast<std::int64_t>(record.type))));
}

Result<> Replay::add_metadata(const LogReader& reader, ByteView data) {
  if (has_metadata_ && data != result_.metadata) {
    return Unexpected(reader.damage(reader.place(), "conflicting metadata found"));
  }
  has_metadata_ = true;
  result_.metadata = data;
  return {};
}

void Replay::check_entry(const LogReader& reader, const raft::Entry& entry) {
  const Place place = reader.place();
  if (!result_.entries.empty() && entry.term < result_.entries.back().term) {
    note(reader, place,
         "entry " + number(entry.index) + " goes back to term " + number(entry.term) + " from " +
             number(result_.entries.back().term));
  }
}

/// Entries below the mark count too: the first of a segment is what its name speaks of.
void Replay::check_name(const LogReader& reader, const raft::Entry& entry) {
  const Place place = reader.place();
  if (segment_with_entry_ == place.segment) return;
  segment_with_entry_ = place.segment;
  const std::string& path = reader.path_of(place);
  const auto name = parse_segment_name(ByteView(path).substr(path.rfind('/') + 1));
  if (name && name->first_index != raft::Index(0) && entry.index > name->first_index) {
    note(reader, place,
         "first entry of the segment is " + number(entry.index) + ", its name promises " +
             number(name->first_index));
  }
}

Result<> Replay::add_entry(const LogReader& reader, ByteView data) {
  auto entry = raft::decode_entry(data);
  if (!entry) return bad_payload(reader, entry.error());
  last_index_ = entry->index;
  check_name(reader, *entry);
  if (entry->index <= from_.index) return {};
  const std::uint64_t position = entry->index - from_.index - 1;
  auto& entries = result_.entries;
  if (position > entries.size()) {
    return Unexpected(reader.damage(reader.place(), "entry " + number(entry->index) +
                                                        " follows entry " +
                                                        number(from_.index + entries.size()) +
                                                        ": the entries between are lost"));
  }
  entries.resize(position);
  check_entry(reader, *entry);
  entries.push_back(*std::move(entry));
  return {};
}

Result<> Replay::add_state(const LogReader& reader, ByteView data) {
  auto state = raft::decode_hard_state(data);
  if (!state) return bad_payload(reader, state.error());
  const raft::HardState& before = result_.hard_state;
  if (state->term < before.term) {
    note(reader, reader.place(),
         "hard state goes back to term " + number(state->term) + " from " + number(before.term));
  }
  if (state->commit < before.commit) {
    note(reader, reader.place(),
         "hard state goes back to commit " + number(state->commit) + " from " +
             number(before.commit));
  }
  result_.hard_state = *state;
  return {};
}

Result<> Replay::add_snapshot(const LogReader& reader, ByteView data) {
  auto record = decode_snapshot_record(data);
  if (!record) return bad_payload(reader, record.error());
  const raft::SnapshotMark mark = record->mark;
  last_index_ = std::max(last_index_, mark.index);
  if (mark.index != from_.index) return {};
  if (mark.term != from_.term) {
    return Unexpected(reader.damage(
        reader.place(), "snapshot mismatch: index " + number(mark.index) + " has term " +
                            number(mark.term) + ", wanted " + number(from_.term)));
  }
  result_.report.snapshot_found = true;
  return {};
}

ReadResult Replay::finish(const LogReader& reader) {
  const Place end = reader.end();
  for (const Place& place : reader.early_ends()) {
    note(reader, place, "a zero length ends the segment before the end of its file");
  }
  const raft::Index last = from_.index + result_.entries.size();
  if (result_.hard_state.commit > last) {
    note(reader, end,
         "commit index " + number(result_.hard_state.commit) + " lies past the last entry " +
             number(last));
  }
  result_.report.tail_path = reader.path_of(end);
  result_.report.tail_offset = end.offset;
  return std::move(result_);
}

Result<> replay_all(LogReader& reader, Replay& replay) {
  Record record;
  for (;;) {
    TRUSS_ASSIGN(const bool found, reader.next(record));
    if (!found) return {};
    TRUSS_TRY(replay.add(reader, record));
  }
}

}  // namespace truss::wal
