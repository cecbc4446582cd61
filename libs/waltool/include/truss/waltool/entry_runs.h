#pragma once

#include <cstdint>
#include <vector>

#include "truss/raft/types.h"

namespace truss::waltool {

/// Entries [first, last], both included.
struct IndexRange {
  raft::Index first;
  raft::Index last;

  friend bool operator==(const IndexRange&, const IndexRange&) = default;
};

enum class EntryKind : std::uint8_t {
  kGood,
  kUnverified,  ///< readable, but no CRC vouches for it, or others may stand in its place
  kMissing,
  kInSnapshot,  ///< never in this log: a snapshot brought the member past it
};

/// Which entries a log holds, by runs of equal kind and term: small however long the log.
class EntryRuns {
 public:
  struct Run {
    IndexRange range;
    raft::Term term;  ///< 0 for missing ones
    EntryKind kind{};
  };

  /// The log's next entry: drops it and all after it if it is there already; what lies between the
  /// end and it is missing.
  void put(raft::Index index, raft::Term term, EntryKind kind = EntryKind::kGood);
  /// Extends the log to `index` by entries of `kind`; nothing if it is that long.
  void extend(raft::Index index, EntryKind kind);
  /// Good entries of `range` become unverified.
  void doubt(IndexRange range);

  raft::Index first() const;  ///< 0 if empty
  raft::Index last() const;   ///< 0 if empty
  const std::vector<Run>& runs() const { return runs_; }
  /// The run that holds `index`, null if none.
  const Run* find(raft::Index index) const;
  /// What of [first, last] is not good (beyond the log's ends included). What a snapshot brought is
  /// good as far as `snapshot`.
  std::vector<IndexRange> not_good(IndexRange range, raft::Index snapshot = {}) const;
  /// Last index such that everything in (after, it] is good; `after` if there is none.
  raft::Index good_through(raft::Index after) const;

 private:
  void truncate(raft::Index from);
  void append(Run run);

  std::vector<Run> runs_;
};

}  // namespace truss::waltool
