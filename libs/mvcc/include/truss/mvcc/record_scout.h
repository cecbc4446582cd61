#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "truss/common/bytes.h"

namespace truss::mvcc {

/// Builds what can be built of the key index while a database comes in, so that nobody has to read
/// all of it again to go over to it. It knows nothing of trees: whatever looks like a leaf of
/// bucket `key` at its own place is noted under that place, old pages that nothing refers to any
/// more included. What is noted of a page that the tree does refer to is what the page says.
///
/// Thread: one at a time.
class RecordScout {
 public:
  /// Of notes; pages that would need more aren't noted.
  static constexpr std::size_t kMostBytes = std::size_t{512} << 20;
  struct Range {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
  };

  explicit RecordScout(std::size_t most_bytes = kMostBytes);
  ~RecordScout();
  RecordScout(const RecordScout&) = delete;
  RecordScout& operator=(const RecordScout&) = delete;

  /// The next bytes of the file, from `offset` on: all before came before. Pages that lie in two
  /// pieces aren't noted. Returns what whoever goes over to the file will still have to read.
  std::vector<Range> take(std::uint64_t offset, ByteView bytes);
  /// Records noted so far.
  std::size_t size() const;

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace truss::mvcc
