#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "truss/bolt/walk.h"
#include "truss/bolttool/image.h"

namespace truss::bolttool {

/// What a bucket takes in the file.
struct BucketUse {
  std::vector<ByteView> path;  ///< its name and those around it; empty: the top level
  std::uint64_t root = 0;      ///< 0: inline
  std::uint64_t sequence = 0;
  std::uint64_t pairs = 0;    ///< that are no buckets
  std::uint64_t buckets = 0;  ///< directly inside
  std::uint64_t key_bytes = 0;
  std::uint64_t value_bytes = 0;  ///< of pairs
  std::uint64_t leaf_pages = 0;   ///< without overflow pages, as the next
  std::uint64_t branch_pages = 0;
  std::uint64_t overflow_pages = 0;
  std::uint64_t leaf_used = 0;  ///< bytes of page headers, elements, keys and values
  std::uint64_t branch_used = 0;
  std::uint64_t inline_bytes = 0;  ///< of the value that holds an inline bucket
  int levels = 0;

  std::uint64_t pages() const { return leaf_pages + branch_pages + overflow_pages; }
};

enum class PageUse : std::uint8_t { kFree, kMeta, kFreelist, kLeaf, kBranch, kOverflow, kLost };

/// Every page and bucket of one state. A file with faults gives what can be reached of it.
struct Census {
  std::vector<BucketUse> buckets;    ///< [0] is the top level; in the order of the walk
  std::vector<PageUse> pages;        ///< by page id, below the high-water mark (and end of file)
  std::vector<std::uint32_t> owner;  ///< index into buckets of tree pages
  std::vector<bolt::Run> free_runs;  ///< ascending
  std::uint64_t free_pages = 0;
  std::uint64_t reachable_pages = 0;  ///< of the tree
  std::uint64_t freelist_pages = 0;
  std::uint64_t lost_pages = 0;  ///< neither reachable nor listed as free
  std::uint64_t faults = 0;
  std::string first_fault;
};
Census take_census(const Image& image);

/// A bucket as its element has it: as_bucket() reads that, find_bucket() goes there from the top.
/// Errors: kNotFound, kCorruption.
struct FoundBucket {
  std::uint64_t root = 0;  ///< 0: inline
  std::uint64_t sequence = 0;
  bolt::PageRef inlined;
};
Result<FoundBucket> as_bucket(const Image& image, const bolt::KeyValue& kv);
Result<FoundBucket> find_bucket(const Image& image, const std::vector<std::string>& path);
/// The pair with this key in a bucket, or nullopt. Errors: kCorruption.
Result<std::optional<bolt::KeyValue>> find_pair(const Image& image, const FoundBucket& bucket,
                                                ByteView key);
/// As for_each_pair, of a bucket; backwards if `reverse`.
Result<> for_each_pair(const Image& image, const FoundBucket& bucket, bool reverse,
                       const std::function<bool(const bolt::KeyValue&)>& visit);

}  // namespace truss::bolttool
