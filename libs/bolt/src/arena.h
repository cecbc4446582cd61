#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "truss/common/bytes.h"

namespace truss::bolt {

/// Memory of one write transaction: bump allocation, freed all at once. What it hands out is
/// uninitialised and stays put until reset(). Thread: the writer's.
class Arena {
 public:
  /// `size` bytes aligned to 8.
  void* allocate(std::size_t size) {
    const std::size_t padding = (8 - reinterpret_cast<std::uintptr_t>(next_)) & 7;
    char* p = bytes(size + padding);
    return p + ((8 - reinterpret_cast<std::uintptr_t>(p)) & 7);
  }
  template <class T>
  T* array(std::size_t count) {
    return static_cast<T*>(allocate(count * sizeof(T)));
  }
  /// `size` bytes, unaligned, so that consecutive pieces lie next to each other.
  char* bytes(std::size_t size) {
    if (size > left_) [[unlikely]]
      return refill(size);
    left_ -= size;
    return std::exchange(next_, next_ + size);
  }
  ByteView copy(ByteView source);
  /// Gives everything back, keeping some chunks for the next transaction.
  void reset();

 private:
  struct Chunk {
    std::unique_ptr<char[]> memory;
    std::size_t size = 0;
  };
  char* refill(std::size_t size);

  std::vector<Chunk> chunks_;  // of growing size, used in order
  std::vector<Chunk> large_;   // one piece each
  std::size_t used_ = 0;       // chunks in use
  char* next_ = nullptr;
  std::size_t left_ = 0;
};

}  // namespace truss::bolt
