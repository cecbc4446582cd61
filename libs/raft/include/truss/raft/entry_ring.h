#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "truss/common/check.h"
#include "truss/raft/types.h"

namespace truss::raft {

/// Entries in a ring of a power of two slots: cheap at both ends, and quiet (no heap traffic) once
/// it has grown to the working set.
///
/// Thread: its owner's.
class EntryRing {
 public:
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const Entry& operator[](std::size_t i) const { return slots_[(head_ + i) & mask_]; }
  const Entry& back() const { return (*this)[size_ - 1]; }

  void push_back(Entry entry) {
    if (size_ == slots_.size()) grow();
    slots_[(head_ + size_++) & mask_] = std::move(entry);
  }
  /// Drops the `count` oldest entries.
  void pop_front(std::size_t count) {
    TRUSS_CHECK(count <= size_);
    for (std::size_t i = 0; i < count; ++i) slots_[(head_ + i) & mask_].data = SharedBytes();
    head_ = (head_ + count) & mask_;
    size_ -= count;
  }
  /// Keeps the `count` oldest entries.
  void truncate(std::size_t count) {
    TRUSS_CHECK(count <= size_);
    while (size_ > count) slots_[(head_ + --size_) & mask_].data = SharedBytes();
  }
  void clear() { truncate(0); }

 private:
  void grow() {
    std::vector<Entry> wider(slots_.empty() ? kFirstSlots : slots_.size() * 2);
    for (std::size_t i = 0; i < size_; ++i) wider[i] = std::move(slots_[(head_ + i) & mask_]);
    slots_ = std::move(wider);
    mask_ = slots_.size() - 1;
    head_ = 0;
  }

  static constexpr std::size_t kFirstSlots = 16;
  std::vector<Entry> slots_;
  std::size_t mask_ = 0;
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

}  // namespace truss::raft
