#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "truss/bolt/bolt.h"
#include "truss/bolt/meta.h"
#include "truss/bolt/page.h"

namespace truss::bolt {

/// A set of page numbers below a limit, one bit each. Thread: insert() and contains() from any
/// number of threads; the rest when nobody inserts.
class PageSet {
 public:
  explicit PageSet(std::uint64_t limit)
      : limit_(limit), words_(limit / 64 + 1), bits_(new std::atomic<std::uint64_t>[words_]()) {}
  std::uint64_t limit() const { return limit_; }
  bool contains(std::uint64_t page) const {
    return page < limit_ && (word(page / 64) >> (page % 64) & 1) != 0;
  }
  /// False if one of the pages is in the set already, or not below the limit.
  bool insert(Run run);
  std::uint64_t count() const;
  /// 64 pages from 64 * `i` on.
  std::uint64_t word(std::uint64_t i) const { return bits_[i].load(std::memory_order_relaxed); }
  /// Visits the maximal runs of [first, last) outside the set.
  template <class Visit>
  void for_each_gap(std::uint64_t first, std::uint64_t last, Visit&& visit) const {
    while (first < last) {
      first = next(first, last, true);
      const std::uint64_t end = next(first, last, false);
      if (end > first) visit(Run{first, end - first});
      first = end;
    }
  }

 private:
  /// The first page of [first, last) that is not in the set (or is, for false), `last` if none.
  std::uint64_t next(std::uint64_t first, std::uint64_t last, bool absent) const;

  std::uint64_t limit_;
  std::uint64_t words_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> bits_;
};

/// Keys of a subtree lie in [low, high).
struct KeyBounds {
  ByteView low, high;
  bool has_low = false, has_high = false;
};

/// Visits every page reachable from a root once, nested buckets included. A page met twice, or one
/// that lies, is a fault and not descended into; so the walk ends on any file.
class PageWalk {
 public:
  using Fault = std::function<void(Error)>;

  /// Sees the walk go by. Views point into the mapping.
  class Observer {
   public:
    virtual ~Observer() = default;
    /// A sound leaf or branch page; `level` counts from the root of its bucket.
    virtual void page(std::uint64_t id, const PageRef& page, int level) = 0;
    /// A bucket element (`inlined` is its page if it has one inside the value), then its pages.
    virtual void enter_bucket(const KeyValue& element, const PageRef* inlined) = 0;
    virtual void leave_bucket() = 0;
    /// A subtree that can't be walked; `id` is the page that failed.
    virtual void hole(std::uint64_t id, const KeyBounds& bounds) {
      static_cast<void>(id);
      static_cast<void>(bounds);
    }
  };

  /// A subtree not yet walked.
  struct Part {
    std::uint64_t root = 0;
    KeyBounds bounds;
    int depth = 0;
    std::uint32_t nesting = 0;
  };

  /// `strict` also looks at key order, bounds, and that the data of a page
  /// lie one after the other behind its elements, as every writer puts them. `stop_early`: end at
  /// the first fault. `seen` is shared by the walks of one tree's parts.
  PageWalk(const View& view, PageSet& seen, bool strict, bool stop_early, Fault fault)
      : view_(view),
        strict_(strict),
        stop_early_(stop_early),
        fault_(std::move(fault)),
        seen_(seen) {}

  void observe(Observer* observer) { observer_ = observer; }
  /// Leaves that need not be looked at.
  void know(const KnownLeaves* leaves) { known_ = leaves; }
  void tree(std::uint64_t root) { part({root, {}, 0, 0}); }
  void part(const Part& part);
  /// Walks from `root` breadth first until at least `wanted` subtrees are left, and gives those.
  std::vector<Part> split(std::uint64_t root, std::size_t wanted);
  /// Walks the one page that `from` begins with, and gives the subtrees below it, in order.
  std::vector<Part> below(const Part& from);
  bool stopped() const { return stopped_; }

 private:
  void page(const Part& part);
  bool known(const Part& part);
  void branch(const PageRef& page, const Part& part);
  void leaf(const PageRef& page, const Part& part);
  void bucket(const KeyValue& kv, const Part& part);
  void paged_bucket(const KeyValue& kv, std::uint64_t root, const Part& part);
  void inline_bucket(const KeyValue& kv, const Part& part);
  void descend(const Part& part);
  /// The element before: its key, and where its data ends.
  struct Before {
    ByteView key;
    const char* data_end = nullptr;
  };
  void element(const PageRef& page, std::uint32_t i, ByteView key, const Before& before,
               const KeyBounds& bounds);
  void leaf_element(const PageRef& page, std::uint32_t i, const KeyValue& kv,
                    std::uint32_t nesting);
  void lost_page(Error error, const Part& part);
  void report(Error error);
  void spare_memory();

  const View& view_;
  const bool strict_;
  const bool stop_early_;
  Fault fault_;
  PageSet& seen_;
  Observer* observer_ = nullptr;
  const KnownLeaves* known_ = nullptr;
  std::vector<Part>* later_ = nullptr;  ///< of split(): collects instead of descending
  std::vector<std::uint64_t> way_;      ///< pages from the root to the present one
  std::vector<ByteView> buckets_;       ///< around the present page
  std::uint64_t since_drop_ = 0;        ///< pages visited since the mapping's were given back
  bool stopped_ = false;
};

/// Walks the tree of `meta` with `threads` threads, marking its pages in `seen`. Gives the first
/// fault each thread found. `known`, if any, need not be looked at.
std::vector<Error> walk_tree(const View& view, const Meta& meta, bool strict, unsigned threads,
                             PageSet& seen, const KnownLeaves* known = nullptr);

/// The pages of the tree of `meta`. Errors: kCorruption, the first fault found.
Result<PageSet> reachable_pages(const View& view, const Meta& meta, unsigned threads = 1,
                                const KnownLeaves* known = nullptr);

}  // namespace truss::bolt
