#pragma once

#include <functional>
#include <vector>

#include "meta.h"
#include "node.h"

namespace truss::bolt {

/// A set of page numbers below a limit.
class PageSet {
 public:
  explicit PageSet(std::uint64_t limit) : bits_(limit) {}
  bool contains(std::uint64_t page) const { return page < bits_.size() && bits_[page]; }
  /// False if one of the pages is in the set already.
  bool insert(Run run);
  /// Visits the maximal runs of [first, last) outside the set.
  template <class Visit>
  void for_each_gap(std::uint64_t first, std::uint64_t last, Visit&& visit) const {
    while (first < last) {
      while (first < last && contains(first)) ++first;
      std::uint64_t end = first;
      while (end < last && !contains(end)) ++end;
      if (end > first) visit(Run{first, end - first});
      first = end;
    }
  }

 private:
  std::vector<bool> bits_;
};

/// Visits every page reachable from a root once, nested buckets included. A page met twice, or one
/// that lies, is a fault and not descended into; so the walk ends on any file.
class PageWalk {
 public:
  using Fault = std::function<void(Error)>;
  /// `strict` also looks at key order and bounds. `stop_early`: end at the first fault.
  PageWalk(const View& view, bool strict, bool stop_early, Fault fault)
      : view_(view),
        strict_(strict),
        stop_early_(stop_early),
        fault_(std::move(fault)),
        seen_(view.page_limit) {}

  void tree(std::uint64_t root);
  PageSet& seen() { return seen_; }
  bool stopped() const { return stopped_; }

 private:
  /// Keys of a subtree lie in [low, high).
  struct Bounds {
    ByteView low, high;
    bool has_low = false, has_high = false;
  };
  void page(std::uint64_t id, const Bounds& bounds, int depth, std::uint32_t nesting);
  void branch(const PageRef& page, const Bounds& bounds, int depth, std::uint32_t nesting);
  void leaf(const PageRef& page, const Bounds& bounds, int depth, std::uint32_t nesting);
  void bucket(const KeyValue& kv, int depth, std::uint32_t nesting);
  void element(const PageRef& page, std::uint32_t i, ByteView key, ByteView before,
               const Bounds& bounds);
  void report(Error error);
  void spare_memory();

  const View& view_;
  const bool strict_;
  const bool stop_early_;
  Fault fault_;
  PageSet seen_;
  std::uint64_t since_drop_ = 0;  // pages visited since the mapping's were given back
  bool stopped_ = false;
};

/// The pages of the tree of `meta`. Errors: kCorruption, the first fault found.
Result<PageSet> reachable_pages(const View& view, const Meta& meta);

}  // namespace truss::bolt
