#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "truss/common/bytes.h"
#include "truss/common/error.h"
#include "truss/common/file_system.h"
#include "truss/raft/types.h"

namespace truss::snap {

/// Sees a database come in. Thread: the receiver's.
class DbWatcher {
 public:
  struct Range {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
  };
  virtual ~DbWatcher() = default;
  /// `bytes` were written at `offset`, behind all before. Returns what of them is going to be read
  /// when the file is whole.
  virtual std::vector<Range> block(std::uint64_t offset, ByteView bytes) = 0;
  /// It is whole, and this is its file.
  virtual void whole(const std::string& path) = 0;
};

/// Takes in the database that a leader sends beside a raft snapshot: pieces go to `tmp*` in the
/// snapshot directory; finish() gives the file its name. Dropped before that (a broken-off or
/// half-received transfer), it removes the file; after a crash, the next start does. The bytes go
/// past the page cache where they can, and to the disk as they come where they can't, so that logs
/// on the same disk sync without delay.
///
/// Several may be at work in one directory. An error leaves nothing to go on with: drop it.
/// *Thread:* one at a time, one that may block on the disk. *Source:* etcd snap/db.go, SaveDBFrom.
class DbReceiver {
 public:
  static constexpr std::size_t kBlock = 1u << 20;

  /// Makes the file. `dir` must exist.
  /// \param expected_bytes  size of the database if the sender told it: room for it is asked for at
  ///   once, so that a full disk shows before the transfer and not at its end.
  /// *Errors:* I/O, kResourceExhausted for a full disk.
  /// \param block_bytes  gathered for one write, a multiple of kDirectAlign
  static Result<std::unique_ptr<DbReceiver>> create(
      FileSystem& fs, std::string dir, std::optional<std::uint64_t> expected_bytes = std::nullopt,
      std::size_t block_bytes = kBlock);
  ~DbReceiver();
  DbReceiver(const DbReceiver&) = delete;
  DbReceiver& operator=(const DbReceiver&) = delete;

  /// Shows it to `watcher`, if not null. Before the first piece. Without one all of it is going to
  /// be read.
  void watch(std::shared_ptr<DbWatcher> watcher) { watcher_ = std::move(watcher); }
  /// Takes the next piece, of any size. *Errors:* I/O, kResourceExhausted for a full disk.
  Result<> write(ByteView piece);
  /// Bytes taken so far.
  std::uint64_t size_bytes() const { return written_ + filled_; }

  /// All pieces are there: the file becomes `%016x.snap.db` of `index` (metadata.index of the
  /// MsgSnap). A file that already has that name is whole and stays; ours goes. Once. Returns the
  /// path.
  /// *Errors:* kCorruption if it is empty or its size isn't the one expected; I/O.
  /// *Durability:* bytes and name are on disk: the MsgSnap may be given to raft.
  Result<std::string> finish(raft::Index index);

 private:
  DbReceiver(FileSystem& fs, std::string dir, std::string path, std::unique_ptr<File> file,
             std::optional<std::uint64_t> expected_bytes, std::size_t block_bytes);

  Result<> write_block(std::size_t padding = 0);
  void read_ahead(std::size_t length);
  Result<> write_tail();
  Result<> cut(std::uint64_t size);

  struct FreeBlock {
    void operator()(char* block) const { ::operator delete(block, std::align_val_t(kDirectAlign)); }
  };

  FileSystem& fs_;
  const std::string dir_;
  std::string path_;  // of the unfinished file; empty when there is none
  std::unique_ptr<File> file_;
  const std::optional<std::uint64_t> expected_bytes_;
  const std::size_t block_bytes_;
  const std::unique_ptr<char, FreeBlock> block_;  // what isn't written yet, `filled_` of it
  std::shared_ptr<DbWatcher> watcher_;
  std::size_t filled_ = 0;
  std::uint64_t written_ = 0;
  std::uint64_t arrived_ = 0;  // so far on the device, or past the page cache
};

}  // namespace truss::snap
