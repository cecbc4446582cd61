#pragma once

#include <optional>
#include <string>

#include "truss/raft/types.h"
#include "truss/wal/record.h"

namespace truss::waltool {

/// Judges records by what they mean: a record's type is not covered by its CRC, so a flipped type
/// shows only as a contradiction. Follows the log record by record.
class Sense {
 public:
  /// What is wrong with a record whose CRC is right, "" if nothing. If nothing, it is taken in.
  /// \param position  number of the record in its segment
  std::string take(const wal::Record& record, std::uint64_t position);
  /// Records may be missing here: what follows may go on anywhere.
  void hole() { hole_ = true; }
  bool in_hole() const { return hole_; }
  /// Entries may have been lost before the next one, which is then where the log goes on.
  raft::Index last_index() const { return last_; }

 private:
  std::string take_entry(ByteView data);
  std::string take_state(ByteView data);
  std::string take_metadata(ByteView data);
  std::string take_snapshot(ByteView data);

  bool hole_ = true;  // a log may begin anywhere
  std::optional<std::string> metadata_;
  raft::Index last_{};
  raft::Term last_term_{};
  raft::HardState state_;
};

}  // namespace truss::waltool
