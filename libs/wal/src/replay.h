#pragma once

#include <optional>
#include <string>

#include "truss/wal/log_reader.h"
#include "truss/wal/wal.h"

namespace truss::wal {

/// Folds the records of a log, from a snapshot mark on, into its contents.
class Replay {
 public:
  explicit Replay(raft::SnapshotMark from) : from_(from), last_index_(from.index) {}

  /// Adds the record that `reader` has just returned.
  /// *Errors:* kCorruption: unknown type, malformed payload, conflicting metadata, a gap between
  /// entries, a snapshot of another term.
  Result<> add(const LogReader& reader, const Record& record);
  /// The contents; `report.tail_*` come from the reader, stray bytes are the caller's to find.
  ReadResult finish(const LogReader& reader);
  /// Index of the last entry, or of a snapshot or the mark, whichever is highest at the end.
  raft::Index last_index() const { return last_index_; }

 private:
  Result<> add_metadata(const LogReader& reader, ByteView data);
  Result<> add_entry(const LogReader& reader, ByteView data);
  Result<> add_state(const LogReader& reader, ByteView data);
  Result<> add_snapshot(const LogReader& reader, ByteView data);
  void check_entry(const LogReader& reader, const raft::Entry& entry);
  void check_name(const LogReader& reader, const raft::Entry& entry);
  void note(const LogReader& reader, const Place& place, const std::string& finding);

  raft::SnapshotMark from_;
  raft::Index last_index_;
  ReadResult result_;
  bool has_metadata_ = false;
  std::optional<std::size_t> segment_with_entry_;
};

/// Adds every record of the reader. *Errors:* as LogReader::next and Replay::add.
Result<> replay_all(LogReader& reader, Replay& replay);

}  // namespace truss::wal
