#pragma once

#include <array>
#include <compare>
#include <cstdint>

#include "truss/common/bytes.h"
#include "truss/common/error.h"

namespace truss::schema {

/// When a key changed: `main` counts transactions (first write is 2), `sub` the changes within one
/// from 0. Both >= 0 on disk.
struct Revision {
  std::int64_t main = 0;
  std::int64_t sub = 0;

  friend auto operator<=>(const Revision&, const Revision&) = default;
};

inline constexpr std::size_t kRevisionKeyBytes = 17;
inline constexpr std::size_t kTombstoneKeyBytes = 18;

/// Key of bucket `key`.
/// Format: u64be main, '_', u64be sub; a tombstone adds 't'.
class RevisionKey {
 public:
  explicit RevisionKey(Revision revision, bool tombstone = false);
  ByteView view() const { return {bytes_.data(), size_}; }

 private:
  std::array<char, kTombstoneKeyBytes> bytes_;
  std::uint8_t size_;
};

struct DecodedRevision {
  Revision revision;
  bool tombstone = false;
};

/// Errors: kCorruption for a wrong length, separator or mark, or a number over 2^63-1.
Result<DecodedRevision> decode_revision(ByteView key);

}  // namespace truss::schema
