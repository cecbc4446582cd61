#pragma once

#include <atomic>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace truss {

/// Bytes somebody else owns. Keys and values are unsigned bytes; compare with std::string_view's
/// own order (char_traits<char> compares as unsigned char).
using ByteView = std::string_view;

/// Immutable, reference-counted bytes: an entry is encoded once and shared by raft log, WAL, peers
/// and apply without copies. One allocation holds count, size and bytes.
///
/// Thread: a SharedBytes object lives on one thread; its copies may live on others.
class SharedBytes {
 public:
  SharedBytes() = default;
  SharedBytes(const SharedBytes& other) : block_(other.block_) { retain(); }
  SharedBytes(SharedBytes&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  SharedBytes& operator=(SharedBytes other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~SharedBytes() {
    if (block_ != nullptr) release();
  }

  /// A fresh copy of `bytes`; empty input allocates nothing.
  static SharedBytes copy(ByteView bytes);
  /// `size` bytes written by `fill(char*)`, which must fill all of them.
  template <class Fill>
  static SharedBytes build(std::size_t size, Fill&& fill) {
    SharedBytes out = uninitialised(size);
    if (size > 0) std::forward<Fill>(fill)(out.block_->data());
    return out;
  }

  ByteView view() const { return block_ ? ByteView(block_->data(), block_->size) : ByteView(); }
  std::size_t size() const { return block_ ? block_->size : 0; }
  bool empty() const { return size() == 0; }
  friend bool operator==(const SharedBytes& a, const SharedBytes& b) {
    return a.view() == b.view();
  }

 private:
  struct Block {
    std::atomic<std::size_t> references{1};
    std::size_t size = 0;
    char* data() { return reinterpret_cast<char*>(this + 1); }
    const char* data() const { return reinterpret_cast<const char*>(this + 1); }
  };
  static SharedBytes uninitialised(std::size_t size);
  void retain() const {
    if (block_) block_->references.fetch_add(1, std::memory_order_relaxed);
  }
  void release();

  Block* block_ = nullptr;
};

/// Bytes as lower-case hex, for messages and tests.
std::string to_hex(ByteView bytes);

/// Bytes as Go's %q shows them ("key\x00\n\xff é"), for messages.
std::string quoted(ByteView bytes);

}  // namespace truss
