#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "truss/common/error.h"
#include "truss/common/executor.h"
#include "truss/common/file_system.h"
#include "truss/common/process.h"
#include "truss/raft/snapshot_mark.h"
#include "truss/raft/types.h"
#include "truss/wal/log_reader.h"
#include "truss/wal/record.h"

namespace truss::wal {

struct Options {
  /// A segment is cut once it is this long, so it may exceed it by one batch.
  std::uint64_t segment_bytes = 64'000'000;
  ReadLimits limits;
  /// False is --unsafe-no-fsync: nothing is ever synced.
  bool sync = true;
  /// open_and_read() refuses a log from whose last segment entries have vanished that were synced
  /// (see find_hole). etcd takes such a log and forgets the entries. Of no effect without `sync`.
  bool refuse_synced_hole = false;
  /// Where the next segment is preallocated; null: by the WAL's own thread, when it cuts.
  Executor* allocator = nullptr;
};

/// What a reader saw besides the log's contents. Findings never make a log unreadable: etcd reads
/// such a log too. They are for the caller to log or to act on.
struct ReadReport {
  /// A SNAPSHOT record equal to the mark asked for was there. A server that starts anyway, as
  /// etcd's does, must be sure of its snapshot by valid_snapshots().
  bool snapshot_found = false;
  std::uint64_t records = 0;
  std::string tail_path;          ///< last segment
  std::uint64_t tail_offset = 0;  ///< where its good records end
  /// Length of [tail_offset, last non-zero byte]: 0 in an intact log, a torn write after a crash.
  std::uint64_t stray_bytes = 0;
  /// Suspicions, one line each: term or commit going back, commit past the last entry, an older
  /// segment that ends early, a segment's name that disagrees with its entries.
  std::vector<std::string> findings;
};

/// The contents of a log from a snapshot mark on.
struct ReadResult {
  std::string metadata;  ///< payload of METADATA, see decode_identity
  raft::HardState hard_state;
  /// Entries above the mark, consecutive. Those above hard_state.commit may not be committed.
  std::vector<raft::Entry> entries;
  ReadReport report;
};

/// The write-ahead log of one member, bytes as etcd's.
///
/// Life: create() or open(); after open(), read_all() once; then append, save, cut by itself;
/// close(). Dropping it without close() is a crash: buffered records and the `N.tmp` file stay as
/// they are.
///
/// A failed write, sync, cut or directory sync is never retried: it goes to Process::fatal. So the
/// writing functions return nothing: when they return, it is done.
///
/// *Lives on:* WAL thread. *Source:* etcd wal/wal.go, wal/file_pipeline.go.
class Wal {
 public:
  /// Makes a new log in `dir` (which must hold none), by way of `dir`.tmp and a rename: after a
  /// crash there is a whole log or none. The parent directory must exist.
  /// \param metadata  payload of METADATA, see encode_identity
  /// *Errors:* kAlreadyExists if there is a log, or I/O errors.
  /// *Durability:* log, its name and its directory are on disk.
  static Result<std::unique_ptr<Wal>> create(FileSystem& fs, Process& process, std::string dir,
                                             ByteView metadata, const Options& options);

  /// Opens the log for reading from `from` and then writing, and locks its segments.
  /// *Errors:* kNotFound if no segment reaches back to `from`; kUnavailable if locked by another
  /// process; kCorruption if segments are missing; I/O errors. Nothing is changed.
  static Result<std::unique_ptr<Wal>> open(FileSystem& fs, Process& process, std::string dir,
                                           raft::SnapshotMark from, const Options& options);

  ~Wal();
  Wal(const Wal&) = delete;
  Wal& operator=(const Wal&) = delete;

  /// Reads the log from the mark given to open(). Once, and before any write.
  /// *Errors:* is_torn() - call repair() once, open again; kCorruption - damage, or a term that
  /// contradicts the mark. Nothing is changed.
  /// *Durability:* what it returns is on disk (a killed predecessor may have left it in the cache).
  Result<ReadResult> read_all();

  /// Takes the entries behind what is buffered, and the hard state unless it is empty. Payloads
  /// above some hundred bytes are shared, not copied. Nothing for empty arguments.
  ///
  /// Invariant: between two syncs one STATE record is written, the last one, after all entries.
  /// find_hole() rests on it.
  /// *Durability:* none before sync().
  void append(const raft::HardState& state, std::span<const raft::Entry> entries);

  /// Writes what is buffered, one fdatasync, then cuts the segment if it is full.
  /// *Durability:* everything appended is on disk.
  void sync();

  /// append(), then sync() if etcd would: entries, or a new term or vote. True if it synced.
  bool save(const raft::HardState& state, std::span<const raft::Entry> entries);

  /// Appends a SNAPSHOT record and syncs. The `.snap` file must be on disk already.
  /// \param conf_state  membership at the mark; null at level 3.4
  void save_snapshot(raft::SnapshotMark mark, const raft::ConfState* conf_state);

  /// Unlocks the segments that hold nothing above `index`, so that purge() may take them. The one
  /// that holds `index` stays.
  void release_to(raft::Index index);

  /// Ends cleanly: syncs, removes the preallocated `N.tmp`, drops the locks. No calls after it.
  void close();

  /// Index of the last entry (or snapshot, if higher) appended or read.
  raft::Index last_index() const;
  /// Last entry and commit index known to be on disk: what a backend commit may build on.
  raft::Index durable_index() const;
  raft::Index durable_commit() const;
  /// True if append() left something that is not on disk yet.
  bool dirty() const;
  /// Counts since create() or open(): fdatasyncs of the log, bytes written to it.
  std::uint64_t syncs() const;
  std::uint64_t bytes_written() const;

 private:
  struct Impl;
  explicit Wal(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// A log opened for writing, with its contents.
struct OpenedWal {
  std::unique_ptr<Wal> wal;
  ReadResult contents;
  bool repaired = false;  ///< the tail was torn and has been cut
};

/// open() and read_all(), with one repair() of a torn tail between two tries, as a server starts.
/// *Errors:* as theirs; kCorruption for a synced hole, if the options say so.
Result<OpenedWal> open_and_read(FileSystem& fs, Process& process, const std::string& dir,
                                raft::SnapshotMark from, const Options& options);

}  // namespace truss::wal
