#pragma once

#include <string>
#include <vector>

#include "frame_buffer.h"
#include "preallocator.h"
#include "segment_files.h"
#include "truss/wal/wal.h"

namespace truss::wal {

/// State and steps of the writer. Every step that fails ends the process.
struct Wal::Impl {
  FileSystem& fs;
  Process& process;
  std::string dir;
  Options options;
  std::vector<HeldSegment> held;  ///< locked segments, oldest first; the last is the tail

  raft::SnapshotMark from;  ///< of open()
  bool readable = false;    ///< opened, read_all() is still to come
  bool closed = false;

  std::string metadata;
  raft::HardState state;       ///< last one appended or read
  bool state_pending = false;  ///< ... and not encoded yet
  FrameBuffer frames;
  std::uint64_t offset = 0;       ///< file offset where `frames` will go
  std::uint64_t stray_bytes = 0;  ///< non-zero bytes after `offset` to be cleared before writing
  Preallocator next;

  raft::Index last_index;
  raft::Index durable_index;
  raft::Index durable_commit;
  std::uint64_t syncs = 0;
  std::uint64_t bytes_written = 0;

  Impl(FileSystem& files, Process& owner, std::string where, const Options& with)
      : fs(files),
        process(owner),
        dir(std::move(where)),
        options(with),
        next(fs, dir, options.segment_bytes, options.allocator) {}

  HeldSegment& tail() { return held.back(); }
  bool dirty() const {
    return state_pending || !frames.empty() || durable_index != last_index ||
           durable_commit != state.commit;
  }
  /// Ends the process if the step failed.
  void must(const Result<>& result, const char* step);
  /// Encodes the pending hard state: once for all appends between two syncs, and last.
  void add_state();
  void flush();
  void sync_file(File& file);
  void sync_directory(const std::string& path);
  /// Zeroes what an interrupted write left after the last good record.
  void clear_stray_bytes();
  void cut();
  /// Writes CRC, METADATA and, unless empty, STATE at the head of a new segment and syncs it.
  void begin_segment(File& file);
  void mark_durable();
};

}  // namespace truss::wal
