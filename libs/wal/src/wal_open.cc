#include "replay.h"
#include "truss/common/check.h"
#include "truss/wal/maintenance.h"
#include "truss/wal/segment.h"
#include "wal_impl.h"

namespace truss::wal {

Result<std::unique_ptr<Wal>> Wal::open(FileSystem& fs, Process& process, std::string dir,
                                       raft::SnapshotMark from, const Options& options) {
  TRUSS_ASSIGN(auto all, list_segments(fs, dir));
  TRUSS_ASSIGN(const auto names, select_segments(dir, std::move(all), from.index));
  auto impl = std::make_unique<Impl>(fs, process, std::move(dir), options);
  TRUSS_ASSIGN(impl->held, open_segments(fs, impl->dir, names, Access::kWriteLocked));
  impl->from = from;
  impl->readable = true;
  return std::unique_ptr<Wal>(new Wal(std::move(impl)));
}

Result<ReadResult> Wal::read_all() {
  Impl& w = *impl_;
  TRUSS_CHECK(w.readable, "read_all is for an opened WAL, once");
  LogReader reader(sources(w.held), w.options.limits);
  Replay replay(w.from);
  TRUSS_TRY(replay_all(reader, replay));
  ReadResult result = replay.finish(reader);
  TRUSS_ASSIGN(const std::uint64_t used, end_of_non_zero(*w.tail().file, reader.end().offset));

  // A predecessor that was killed may have left its last records and the tail's name in the
  // kernel's cache only: what we act on from here must outlive a power failure.
  w.sync_file(*w.tail().file);
  w.sync_directory(w.dir);

  result.report.stray_bytes = w.stray_bytes = used - reader.end().offset;
  w.metadata = result.metadata;
  w.state = result.hard_state;
  w.frames = FrameBuffer(reader.crc());
  w.offset = reader.end().offset;
  w.last_index = replay.last_index();
  w.mark_durable();
  w.readable = false;
  return result;
}

namespace {

/// Refuses to go on, be it by cutting or by overwriting, where synced entries have vanished.
Result<> refuse_synced_hole(FileSystem& fs, const std::string& dir, const Options& options) {
  if (!options.refuse_synced_hole || !options.sync) return {};
  TRUSS_ASSIGN(const auto hole, find_hole(fs, dir, options.limits));
  if (hole && hole->synced) return fail(Code::kCorruption, hole->message());
  return {};
}

}  // namespace

Result<OpenedWal> open_and_read(FileSystem& fs, Process& process, const std::string& dir,
                                raft::SnapshotMark from, const Options& options) {
  OpenedWal opened;
  for (;;) {
    TRUSS_ASSIGN(opened.wal, Wal::open(fs, process, dir, from, options));
    auto contents = opened.wal->read_all();
    if (contents) {
      if (contents->report.stray_bytes > 0) TRUSS_TRY(refuse_synced_hole(fs, dir, options));
      opened.contents = *std::move(contents);
      return opened;
    }
    if (!is_torn(contents.error()) || opened.repaired) return tl::unexpected(contents.error());
    TRUSS_TRY(refuse_synced_hole(fs, dir, options));
    opened.wal.reset();  // its locks would keep repair() out
    TRUSS_TRY(repair(fs, dir, options.limits));
    opened.repaired = true;
  }
}

}  // namespace truss::wal
