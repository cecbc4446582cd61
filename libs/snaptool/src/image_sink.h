#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <span>
#include <string>

#include "truss/common/executor.h"
#include "truss/common/file_system.h"
#include "truss/snap/image.h"

namespace truss::snaptool {

/// The SHA-256 of a stream, without the bytes at its end that are a trailer.
class TrailingHasher {
 public:
  explicit TrailingHasher(std::size_t trailer_bytes) : trailer_bytes_(trailer_bytes) {}
  void update(ByteView bytes);
  /// The last bytes, `trailer_bytes` or as many as came. Before finish() too.
  const std::string& trailer() const { return trailer_; }
  snap::ImageHash finish() { return hasher_.finish(); }

 private:
  std::size_t trailer_bytes_;
  snap::ImageHasher hasher_;
  std::string trailer_;
};

/// Brings an image to a file, past the page cache where the file system can, and hashes what it
/// writes: in large blocks, with more than one thread while the next block is being filled.
/// *Thread:* one at a time, one that may block on the disk.
class ImageSink {
 public:
  static constexpr std::size_t kBlockBytes = 2u << 20;
  static constexpr std::size_t kBlocks = 4;

  struct Options {
    bool exclusive = false;         ///< fail if the file is there; otherwise it is cut to nothing
    bool hash = true;               ///< compute the SHA-256
    std::size_t trailer_bytes = 0;  ///< at the end of the stream: written, not hashed
    unsigned threads = 1;           ///< 1: hash and write in the caller's
  };
  /// *Errors:* I/O.
  static Result<std::unique_ptr<ImageSink>> create(FileSystem& fs, const std::string& path,
                                                   const Options& options);
  ~ImageSink();
  ImageSink(const ImageSink&) = delete;
  ImageSink& operator=(const ImageSink&) = delete;

  /// Where the next bytes go, at least one; waits for a block to be free.
  std::span<char> room();
  /// The first `bytes` of room() are filled. *Errors:* I/O, also of bytes given earlier.
  Result<> advance(std::size_t bytes);
  /// Copies a piece of any size. *Errors:* as advance().
  Result<> write(ByteView piece);
  /// No more bytes come. *Durability:* all of them are on disk. *Errors:* I/O. Once.
  Result<> finish();

  std::uint64_t bytes() const { return bytes_; }
  /// After finish().
  TrailingHasher& hasher() { return hasher_; }

 private:
  struct FreeBlock {
    void operator()(char* block) const { ::operator delete(block, std::align_val_t(kDirectAlign)); }
  };
  struct Block {
    std::unique_ptr<char, FreeBlock> data;
    std::size_t bytes = 0;
  };

  ImageSink(std::unique_ptr<File> file, const Options& options);

  Result<> hand_over();
  void hash(const Block& block);
  Result<> write_block(Block& block, std::uint64_t number);
  void hash_all();
  void write_all();
  /// The next block that a stage has to work on, or null at the end; `done` of them are.
  Block* next_for(std::uint64_t& done);
  void done_with(std::uint64_t& done);
  void join();

  const Options options_;
  const std::unique_ptr<File> file_;
  TrailingHasher hasher_;
  std::array<Block, kBlocks> blocks_;
  std::uint64_t bytes_ = 0;
  std::size_t in_block_ = 0;  ///< bytes in the block being filled

  std::mutex mutex_;
  std::condition_variable moved_;
  std::uint64_t filled_ = 0;  ///< blocks handed over; the next ones are likewise counted
  std::uint64_t hashed_ = 0;
  std::uint64_t written_ = 0;
  bool ended_ = false;
  std::optional<Error> failure_;  ///< of a write
  Thread hash_thread_;
  Thread write_thread_;
};

}  // namespace truss::snaptool
