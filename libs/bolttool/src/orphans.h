#pragma once

#include <map>
#include <vector>

#include "loose_leaf.h"
#include "truss/bolt/walk.h"

namespace truss::bolttool {

/// What kind of bucket a leaf's keys would fit: so that a page isn't put where it can't belong.
enum class LeafKind : std::uint8_t { kRevisions, kBuckets, kOther };
LeafKind kind_of(const LooseLeaf& leaf);

/// Leaf pages that the tree doesn't reach, found by looking at every page of the file.
class Orphans {
 public:
  struct Page {
    LooseLeaf leaf;
    LeafKind kind = LeafKind::kOther;
    bool listed_free = false;  ///< by the stored freelist: an old copy, if that list is right
    bool used = false;
  };
  /// \param reached  pages of the sound part of the tree
  Orphans(const Image& image, const bolt::PageSet& reached);

  /// The stored freelist lists the page as free.
  bool listed_free(std::uint64_t id) const { return free_.contains(id); }
  /// True if a page of that kind that nothing lists as free lies inside: it must belong somewhere.
  bool misses(const bolt::KeyBounds& bounds, LeafKind kind) const;

  /// True if such a page begins with `key`.
  bool begins(ByteView key, const bolt::KeyBounds& bounds, LeafKind kind) const;

  /// Pairs with keys in `bounds`, merged from every page of that kind that lies inside, in order.
  /// Where pages differ on a value: one not listed as free wins, then the later page.
  struct Gathered {
    std::vector<bolt::KeyValue> pairs;
    std::uint64_t pages = 0;
    std::uint64_t conflicts = 0;
  };
  Gathered gather(const bolt::KeyBounds& bounds, LeafKind kind);

  std::vector<Page>& pages() { return pages_; }

 private:
  static bool fits(const Page& page, const bolt::KeyBounds& bounds, LeafKind kind);

  bolt::PageSet free_;
  std::vector<Page> pages_;
};

}  // namespace truss::bolttool
