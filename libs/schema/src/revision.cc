#include "truss/schema/revision.h"

#include "truss/common/check.h"
#include "truss/common/coding.h"

namespace truss::schema {

RevisionKey::RevisionKey(Revision revision, bool tombstone)
    : size_(tombstone ? kTombstoneKeyBytes : kRevisionKeyBytes) {
  TRUSS_CHECK(revision.main >= 0 && revision.sub >= 0);
  store_be64(bytes_.data(), static_cast<std::uint64_t>(revision.main));
  bytes_[8] = '_';
  store_be64(bytes_.data() + 9, static_cast<std::uint64_t>(revision.sub));
  bytes_[17] = 't';
}

Result<DecodedRevision> decode_revision(ByteView key) {
  const bool tombstone = key.size() == kTombstoneKeyBytes;
  if ((key.size() != kRevisionKeyBytes && !tombstone) || key[8] != '_' ||
      (tombstone && key[17] != 't'))
    return fail(Code::kCorruption,
                "bucket key: malformed revision key " + to_hex(key.substr(0, 32)));
  const std::uint64_t main = load_be64(key.data());
  const std::uint64_t sub = load_be64(key.data() + 9);
  if (main > INT64_MAX || sub > INT64_MAX)
    return fail(Code::kCorruption, "bucket key: revision out of range in key " + to_hex(key));
  return DecodedRevision{{static_cast<std::int64_t>(main), static_cast<std::int64_t>(sub)},
                         tombstone};
}

}  // namespace truss::schema
