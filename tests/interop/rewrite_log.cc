#include <algorithm>
#include <cstdio>
#include <span>
#include <string>

#include "truss/common/file_system.h"
#include "truss/common/log.h"
#include "truss/common/process.h"
#include "truss/snap/snapshotter.h"
#include "truss/snap/v2_store.h"
#include "truss/wal/maintenance.h"
#include "truss/wal/wal.h"

// Writes the log and the newest snapshot of a data directory again, through our own writers:
//   rewrite_log FROM TO [SEGMENT_BYTES]
// Small segments make many cuts; the document of the snapshot is written from what was read of it.

using namespace truss;

namespace {

/// The log from its first entry if that is still there, else from the newest snapshot.
Result<wal::ReadResult> read(FileSystem& fs, const std::string& dir, raft::SnapshotMark& from) {
  auto whole = wal::read_log(fs, dir, {});
  if (whole || whole.error().code != Code::kNotFound) return whole;
  TRUSS_ASSIGN(const auto snapshots, wal::valid_snapshots(fs, dir));
  if (!snapshots.empty()) from = snapshots.back().mark;
  return wal::read_log(fs, dir, from);
}

Result<> rewrite_log(FileSystem& fs, const std::string& from, const std::string& to,
                     std::uint64_t segment_bytes) {
  SystemProcess process;
  wal::Options options;
  options.segment_bytes = segment_bytes;
  raft::SnapshotMark start;
  TRUSS_ASSIGN(const auto contents, read(fs, from, start));
  TRUSS_ASSIGN(const auto snapshots, wal::valid_snapshots(fs, from));
  TRUSS_ASSIGN(const auto log, wal::Wal::create(fs, process, to, contents.metadata, options));
  // A member that joined by a snapshot has a log that begins like this, too.
  if (start.index > raft::Index(0)) log->save_snapshot(start, nullptr);
  for (const raft::Entry& entry : contents.entries) {
    raft::HardState state = contents.hard_state;
    state.term = entry.term;
    state.commit = std::min(entry.index, contents.hard_state.commit);
    log->save(state, std::span(&entry, 1));
    for (const wal::SnapshotRecord& snapshot : snapshots) {
      if (snapshot.mark.index == entry.index) log->save_snapshot(snapshot.mark, nullptr);
    }
  }
  log->save(contents.hard_state, {});
  log->close();
  return {};
}

Result<> rewrite_snapshot(FileSystem& fs, const std::string& from, const std::string& to) {
  NullLogger quiet;
  snap::Snapshotter reader(fs, quiet, from);
  TRUSS_ASSIGN(raft::Snapshot snapshot, reader.load_newest());
  TRUSS_ASSIGN(const auto membership, snap::parse_v2_store(snapshot.data.view()));
  snapshot.data = SharedBytes::copy(snap::write_v2_store(membership));
  return snap::Snapshotter(fs, quiet, to).save(snapshot);
}

Result<> run(const std::string& from, const std::string& to, std::uint64_t segment_bytes) {
  PosixFileSystem fs;
  TRUSS_TRY(make_dirs(fs, to + "/member/snap"));
  TRUSS_TRY(rewrite_log(fs, from + "/member/wal", to + "/member/wal", segment_bytes));
  return rewrite_snapshot(fs, from + "/member/snap", to + "/member/snap");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s FROM TO [SEGMENT_BYTES]\n", argv[0]);
    return 2;
  }
  const auto done = run(argv[1], argv[2], argc > 3 ? std::stoull(argv[3]) : 64'000'000);
  if (done) return 0;
  std::fprintf(stderr, "%s\n", done.error().message.c_str());
  return 3;
}
