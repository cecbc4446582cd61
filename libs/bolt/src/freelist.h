#pragma once

#include <absl/container/btree_map.h>
#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <span>
#include <vector>

#include "free_spans.h"

namespace truss::bolt {

/// Which pages the writer may use: free ones, and pending ones that an open reader still sees.
///
/// A page allocated by transaction A and freed by F is visible to readers of states in [A, F-1].
/// Each pending run waits for one such reader; when that reader is gone it is tried again, so the
/// cost of a release doesn't grow with the number of runs a long reader holds back.
///
/// Thread: the writer's (whoever holds the writer lock).
class Freelist {
 public:
  Freelist(FreelistType type, std::uint64_t high_water);

  /// Loads a free run when opening. False if a page of it is out of range or listed twice.
  [[nodiscard]] bool load(Run run);
  /// One past the last page, counting what the running transaction added.
  std::uint64_t high_water() const { return high_water_; }

  /// Frees a run in the running transaction. False if a page is out of range or free already.
  [[nodiscard]] bool free(Run run);
  /// Takes `count` contiguous pages, raising the high-water mark if no free run fits.
  std::uint64_t allocate(std::uint64_t count);

  /// Ends the running transaction. `readers` are the states open now, ascending.
  void commit(std::uint64_t txid, std::span<const std::uint64_t> readers);
  void rollback();
  /// Makes pages free that none of `readers` (ascending) sees.
  void release(std::span<const std::uint64_t> readers);

  std::uint64_t free_count() const { return spans_.count(); }
  /// Freed but not free yet, the running transaction's included.
  std::uint64_t pending_count() const { return pending_count_; }
  /// Free and pending pages as runs, ascending.
  std::vector<Run> all_runs() const;
  bool is_free(std::uint64_t page) const { return page < high_water_ && test(page); }

 private:
  struct Freed {
    Run run;
    std::uint64_t allocated_by = 0;  // 0 = unknown, before any open reader
    std::uint64_t freed_by = 0;
  };
  struct Taken {
    Run run;
    bool from_spans = false;
  };
  bool test(std::uint64_t page) const { return (bits_[page / 64] >> (page % 64)) & 1; }
  bool mark(Run run);
  void unmark(Run run);
  void raise(std::uint64_t high_water);
  void place(const Freed& freed, std::span<const std::uint64_t> readers);
  void record_allocations(std::uint64_t txid, std::span<const std::uint64_t> readers);
  void forget_allocations(std::span<const std::uint64_t> readers);

  FreeSpans spans_;
  std::uint64_t high_water_ = 0;
  std::vector<std::uint64_t> bits_;  // one a page, set if free or pending
  std::uint64_t pending_count_ = 0;

  std::vector<Run> freed_now_;  // by the running transaction
  std::vector<Taken> taken_now_;
  std::vector<Freed> fresh_;                                    // committed, not yet placed
  absl::btree_map<std::uint64_t, std::vector<Freed>> blocked_;  // by the reader waited for
  /// First page of a run -> transaction that allocated it, while a reader older than it is open.
  absl::flat_hash_map<std::uint64_t, std::uint64_t> allocated_by_;
  std::uint64_t newest_allocation_ = 0;
  std::size_t prune_at_ = 4096;
};

}  // namespace truss::bolt
