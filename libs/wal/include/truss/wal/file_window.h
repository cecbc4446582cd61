#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "truss/common/bytes.h"
#include "truss/common/error.h"
#include "truss/common/file_system.h"

namespace truss::wal {

/// A file seen through one buffer that is read as it moves: as long as it was made, or as the
/// largest piece asked for. *Thread:* one.
class FileWindow {
 public:
  /// \param size          bytes of the file; what lies behind is not looked at
  /// \param window_bytes  read at once
  FileWindow(File& file, std::uint64_t size, std::uint64_t window_bytes)
      : file_(file), size_(size), window_bytes_(window_bytes) {}

  std::uint64_t file_bytes() const { return size_; }

  /// `count` bytes at `offset`, fewer at the end of the file; lives until the next call.
  /// *Errors:* I/O.
  Result<ByteView> at(std::uint64_t offset, std::uint64_t count) {
    if (offset < start_ || offset - start_ > filled_ || count > filled_ - (offset - start_))
      TRUSS_TRY(load(offset, count));
    const std::uint64_t skip = offset - start_;
    if (skip >= filled_) return ByteView();
    return ByteView(buffer_.get() + skip, std::min(count, filled_ - skip));
  }

 private:
  Result<> load(std::uint64_t offset, std::uint64_t count) {
    const std::uint64_t left = size_ - std::min(size_, offset);
    const std::uint64_t wanted = std::min(left, std::max(count, window_bytes_));
    if (wanted > capacity_) {
      buffer_ = std::make_unique_for_overwrite<char[]>(wanted);
      capacity_ = wanted;
    }
    start_ = offset;
    filled_ = 0;
    if (wanted == 0) return {};
    TRUSS_ASSIGN(filled_, file_.pread({buffer_.get(), wanted}, offset));
    return {};
  }

  File& file_;
  std::uint64_t size_;
  std::uint64_t window_bytes_;
  std::unique_ptr<char[]> buffer_;
  std::uint64_t capacity_ = 0;
  std::uint64_t start_ = 0;
  std::uint64_t filled_ = 0;
};

}  // namespace truss::wal
