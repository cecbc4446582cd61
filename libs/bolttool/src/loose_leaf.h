#pragma once

#include <optional>
#include <string>
#include <vector>

#include "truss/bolttool/image.h"

namespace truss::bolttool {

/// A leaf page read without trust in its header: what looks like its pairs, in order.
struct LooseLeaf {
  std::uint64_t id = 0;
  std::uint64_t pages = 1;            ///< that its data reaches over
  std::vector<bolt::KeyValue> pairs;  ///< keys strictly ascending, none empty
  std::uint32_t lost_elements = 0;    ///< that its header counts, but nothing can be read of
  std::string repair;                 ///< what had to be disbelieved; empty: nothing

  ByteView first() const { return pairs.front().key; }
  ByteView last() const { return pairs.back().key; }
};

/// Reads page `id` as a leaf. nullopt if it doesn't look like one: at least one readable pair, and
/// with `expected` false (nothing refers to it as a leaf) a header that names it and says leaf.
/// The element count and the overflow pages are taken from the elements where the header lies.
std::optional<LooseLeaf> read_loosely(const Image& image, std::uint64_t id, bool expected);

/// Reads page `id` as a branch without trust in its header: nullopt unless all its elements hold.
std::optional<bolt::PageRef> read_branch_loosely(const Image& image, std::uint64_t id);

}  // namespace truss::bolttool
