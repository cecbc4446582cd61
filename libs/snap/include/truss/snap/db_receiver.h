#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <string>

#include "truss/common/bytes.h"
#include "truss/common/error.h"
#include "truss/common/file_system.h"
#include "truss/raft/types.h"

namespace truss::snap {

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

  Result<> write_block();
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
  std::size_t filled_ = 0;
  std::uint64_t written_ = 0;
  std::uint64_t arrived_ = 0;  // so far on the device, or past the page cache
};

}  // namespace truss::snap
