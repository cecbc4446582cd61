#include "truss/wal/maintenance.h"

#include <algorithm>

#include "replay.h"
#include "segment_files.h"
#include "truss/raft/codec.h"
#include "truss/wal/segment.h"

namespace truss::wal {
namespace {

/// A torn tail ends a log that is only read.
Result<> forgive_torn(Result<> result) {
  if (!result && is_torn(result.error())) return {};
  return result;
}

/// Collects SNAPSHOT records and the last commit index.
struct SnapshotScan {
  std::vector<SnapshotRecord> records;
  raft::Index commit;

  Result<> add(const LogReader& reader, const Record& record) {
    if (record.type == RecordType::kSnapshot) {
      auto snapshot = decode_snapshot_record(record.data);
      if (!snapshot) return Unexpected(reader.damage(reader.place(), snapshot.error().message));
      records.push_back(*std::move(snapshot));
    } else if (record.type == RecordType::kState) {
      auto state = raft::decode_hard_state(record.data);
      if (!state) return Unexpected(reader.damage(reader.place(), state.error().message));
      commit = state->commit;
    }
    return {};
  }

  Result<> add_all(LogReader& reader) {
    Record record;
    for (;;) {
      TRUSS_ASSIGN(const bool found, reader.next(record));
      if (!found) return {};
      TRUSS_TRY(add(reader, record));
    }
  }
};

}  // namespace

Result<ReadResult> read_log(FileSystem& fs, const std::string& dir, raft::SnapshotMark from,
                            ReadLimits limits) {
  TRUSS_ASSIGN(auto all, list_segments(fs, dir));
  TRUSS_ASSIGN(const auto names, select_segments(dir, std::move(all), from.index));
  TRUSS_ASSIGN(const auto held, open_segments(fs, dir, names, Access::kRead));
  LogReader reader(sources(held), limits);
  Replay replay(from);
  TRUSS_TRY(forgive_torn(replay_all(reader, replay)));
  ReadResult result = replay.finish(reader);
  TRUSS_ASSIGN(const std::uint64_t used, end_of_non_zero(*held.back().file, reader.end().offset));
  result.report.stray_bytes = used - reader.end().offset;
  return result;
}

Result<std::vector<SnapshotRecord>> valid_snapshots(FileSystem& fs, const std::string& dir,
                                                    ReadLimits limits) {
  TRUSS_ASSIGN(const auto names, list_segments(fs, dir));
  TRUSS_ASSIGN(const auto held, open_segments(fs, dir, names, Access::kRead));
  LogReader reader(sources(held), limits);
  SnapshotScan scan;
  TRUSS_TRY(forgive_torn(scan.add_all(reader)));
  std::erase_if(scan.records,
                [&](const SnapshotRecord& record) { return record.mark.index > scan.commit; });
  return std::move(scan.records);
}

Result<raft::HardState> verify(FileSystem& fs, const std::string& dir, raft::SnapshotMark from,
                               ReadLimits limits) {
  TRUSS_ASSIGN(const ReadResult result, read_log(fs, dir, from, limits));
  if (result.report.snapshot_found) return result.hard_state;
  return fail(Code::kNotFound, "wal " + dir + ": no snapshot record of index " +
                                   std::to_string(from.index.value()) + " and term " +
                                   std::to_string(from.term.value()));
}

Result<> repair(FileSystem& fs, const std::string& dir, ReadLimits limits) {
  TRUSS_ASSIGN(const auto names, list_segments(fs, dir));
  TRUSS_ASSIGN(const auto held, open_segments(fs, dir, {names.back()}, Access::kWriteLocked));
  LogReader reader(sources(held), limits);
  Record record;
  Result<bool> found = true;
  while (found && *found) found = reader.next(record);
  if (found) return {};
  if (!is_torn(found.error())) return tl::unexpected(found.error());

  File& file = *held.back().file;
  TRUSS_TRY(copy_sparse(fs, file, held.back().path + ".broken"));
  TRUSS_TRY(fs.sync_dir(dir));
  TRUSS_TRY(file.truncate(reader.end().offset));
  return file.sync();
}

}  // namespace truss::wal
