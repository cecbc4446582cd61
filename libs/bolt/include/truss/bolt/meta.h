#pragma once

#include <string>

#include "truss/bolt/format.h"
#include "truss/common/bytes.h"
#include "truss/common/error.h"

namespace truss::bolt {

/// Bytes of a meta page that carry meaning: header and meta record.
inline constexpr std::uint64_t kMetaBytes = kHeaderBytes + 64;

/// The root of one committed state of the file.
struct Meta {
  std::uint32_t page_size = 0;
  std::uint64_t root = 0;
  std::uint64_t sequence = 0;
  std::uint64_t freelist = kNoFreelist;
  std::uint64_t high_water = 0;  ///< one past the last page ever allocated
  std::uint64_t txid = 0;
};

struct MetaChoice {
  Meta meta;
  int slot = 0;              ///< page it lies in, 0 or 1
  bool other_valid = false;  ///< the other page holds a valid meta too
};

/// Reads a meta page. A checksum field of 0 counts as valid (bbolt 1.3.6 does so; newer releases
/// and we never write it). Errors: kCorruption saying what is wrong, without a place.
Result<Meta> decode_meta(ByteView page);

/// Writes a whole meta page of `meta.page_size` zeroed bytes at `page`.
void encode_meta(const Meta& meta, int slot, char* page);

/// Picks the valid meta with the higher txid from the first bytes of a file, probing the page
/// sizes if page 0 is damaged. Errors: kCorruption with the fault of page 0.
Result<MetaChoice> choose_meta(ByteView head, const std::string& path);

/// Id of the next transaction. Invariant: the meta page it goes to (id mod 2, as in bbolt) is not
/// the one that holds the current state, so a torn write never costs both.
std::uint64_t next_txid(std::uint64_t txid, int slot);

}  // namespace truss::bolt
