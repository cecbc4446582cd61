#include "truss/bolttool/salvage.h"

#include <algorithm>

#include "census.h"
#include "orphans.h"
#include "truss/bolt/builder.h"
#include "truss/tool/json_writer.h"

// Two walks of the tree. The first only marks the sound pages, so that what is left over is known.
// The second writes: sound leaves as they are, damaged ones element by element, and into each gap
// the leaves of the whole file whose keys lie in it.
namespace truss::bolttool {
namespace {

constexpr ByteView kHomeless = "lost+found";

class Salvager {
 public:
  Salvager(const Image& image, bolt::Builder& builder, const SalvageOptions& options)
      : image_(image),
        builder_(builder),
        options_(options),
        whole_(image.view()),
        reached_(image.file_pages()),
        written_(image.file_pages()) {
    whole_.page_limit = image.file_pages();
  }

  Result<SalvageReport> run() {
    mark(image_.meta().root, 0, {});
    Orphans orphans(image_, reached_);
    orphans_ = &orphans;
    TRUSS_TRY(top_level());
    TRUSS_TRY(homeless());
    for (const auto& page : orphans.pages()) report_.unused_orphans += page.used ? 0U : 1U;
    return std::move(report_);
  }

 private:
  struct Place {
    bolt::KeyBounds bounds;  ///< by the keys of the branch above
    bolt::KeyBounds outer;   ///< by what lies around, if those keys are the damage
    int depth = 0;
    LeafKind kind = LeafKind::kOther;
    ByteView first = {};  ///< key that its branch has it begin with; empty: no branch says
  };

  // -- what is sound

  static bool in_bounds(ByteView key, const bolt::KeyBounds& b) {
    return (!b.has_low || key >= b.low) && (!b.has_high || key < b.high);
  }

  /// A page whose header and elements all hold, with keys in order and in bounds.
  bool sound(std::uint64_t id, const bolt::KeyBounds& bounds, bolt::PageRef& page) const {
    if (!whole_.load(id, page)) return false;
    ByteView before;
    const char* data = page.data + page.element_at(page.count);
    for (std::uint32_t i = 0; i < page.count; ++i) {
      bolt::KeyValue kv;
      if (page.leaf ? !page.pair(i, kv) : !page.key(i, kv.key)) return false;
      if (kv.key.empty() || kv.key.size() > bolt::kMaxKeyBytes || (i > 0 && kv.key <= before)) {
        return false;
      }
      if (bounds.has_high && kv.key >= bounds.high) return false;
      if (page.leaf && bounds.has_low && kv.key < bounds.low) return false;
      if (kv.key.data() != data) return false;
      data = page.leaf ? kv.value.data() + kv.value.size() : kv.key.data() + kv.key.size();
      if (page.leaf && load_le<std::uint32_t>(page.data + page.element_at(i)) >
                           static_cast<std::uint32_t>(kv.is_bucket)) {
        return false;
      }
      before = kv.key;
    }
    return true;
  }

  static bolt::KeyBounds below(const bolt::PageRef& page, std::uint32_t i,
                               const bolt::KeyBounds& bounds) {
    bolt::KeyBounds out = bounds;
    ByteView key;
    if (i > 0 && page.key(i, key)) {
      out.low = key;
      out.has_low = true;
    }
    if (i + 1 < page.count && page.key(i + 1, key)) {
      out.high = key;
      out.has_high = true;
    }
    return out;
  }

  /// Bounds of child `i` by those of its branch and the first key that its right neighbour has.
  bolt::KeyBounds around(const bolt::PageRef& branch, std::uint32_t i,
                         const bolt::KeyBounds& bounds) const {
    bolt::KeyBounds out = bounds;
    bolt::PageRef neighbour;
    ByteView key;
    if (i + 1 < branch.count && whole_.load(branch.child(i + 1), neighbour) &&
        neighbour.count > 0 && neighbour.key(0, key) && !key.empty() && in_bounds(key, bounds)) {
      out.high = key;
      out.has_high = true;
    }
    return out;
  }

  /// How many pages its elements fill: a header that claims more would hide its neighbours.
  std::uint64_t pages_of(const bolt::PageRef& page) const {
    std::uint64_t end = page.element_at(page.count);
    for (std::uint32_t i = 0; i < page.count; ++i) {
      bolt::KeyValue kv;
      if (page.leaf ? !page.pair(i, kv) : !page.key(i, kv.key)) continue;
      const ByteView last = page.leaf ? kv.value : kv.key;
      end = std::max(end, static_cast<std::uint64_t>(last.data() + last.size() - page.data));
    }
    const std::uint64_t filled = (end + image_.page_size() - 1) / image_.page_size();
    return std::min(filled, std::uint64_t{page.overflow()} + 1);
  }

  void mark(std::uint64_t id, int depth, const bolt::KeyBounds& bounds) {
    bolt::PageRef page;
    if (depth > bolt::kMaxWalkDepth) return;
    if (!sound(id, bounds, page)) return mark_damaged(id, depth, bounds);
    if (!reached_.insert({id, pages_of(page)})) {
      faulty_ = true;
      return;
    }
    for (std::uint32_t i = 0; i < page.count; ++i) {
      bolt::KeyValue kv;
      if (!page.leaf) {
        mark(page.child(i), depth + 1, below(page, i, bounds));
      } else if (page.pair(i, kv) && kv.is_bucket && kv.value.size() >= bolt::kBucketHeaderBytes) {
        const auto root = load_le<std::uint64_t>(kv.value.data());
        if (root != 0) mark(root, depth + 1, {});
      }
    }
  }

  bool as_branch(std::uint64_t id, bolt::PageRef& out) const {
    const auto loose = read_branch_loosely(image_, id);
    if (loose) out = *loose;
    return loose || (whole_.load(id, out) && !out.leaf);
  }

  /// Pages that will be read in part are no orphans, nor are the children of a damaged branch.
  void mark_damaged(std::uint64_t id, int depth, const bolt::KeyBounds& bounds) {
    faulty_ = true;
    bolt::PageRef branch;
    if (as_branch(id, branch)) {
      if (!reached_.insert({id, 1})) return;
      for (std::uint32_t i = 0; i < branch.count; ++i) mark(branch.child(i), depth + 1, bounds);
    } else if (read_loosely(image_, id, true)) {
      static_cast<void>(reached_.insert({id, 1}));
    }
  }

  // -- notes

  void note(std::uint64_t page, std::string what) {
    if (report_.notes.size() >= SalvageReport::kMaxNotes) {
      ++report_.notes_left_out;
      return;
    }
    report_.notes.push_back({page, shown(), std::move(what)});
  }
  std::string shown() const {
    std::string out;
    for (const ByteView name : names_) out += (out.empty() ? "" : "/") + tool::printable(name);
    return out;
  }

  // -- writing

  Result<> top_level() {
    for (const int slot : {image_.slot(), 1 - image_.slot()}) {
      const MetaPage& page = image_.metas()[static_cast<std::size_t>(slot)];
      if (!page.meta) {
        note(static_cast<std::uint64_t>(slot), "meta page: " + page.fault);
        continue;
      }
      bolt::PageRef root;
      if (!sound(page.meta->root, {}, root) && !read_loosely(image_, page.meta->root, true)) {
        note(page.meta->root,
             "root of the state of meta page " + std::to_string(slot) + " is lost");
        continue;
      }
      return tree(page.meta->root, {{}, {}, 0, LeafKind::kBuckets});
    }
    return gap(0, {{}, {}, 0, LeafKind::kBuckets});
  }

  Result<> tree(std::uint64_t id, const Place& place) {
    bolt::PageRef page;
    if (place.depth > bolt::kMaxWalkDepth || !sound(id, place.bounds, page)) {
      return damaged(id, place);
    }
    if (stranger(page, place)) {
      note(id, "not the page that its branch means: taken for one that nothing refers to");
      return gap(id, place);
    }
    if (!written_.insert({id, pages_of(page)})) {
      note(id, "referenced a second time");
      return gap(id, place);
    }
    if (page.leaf && options_.stale && orphans_->listed_free(id) &&
        orphans_->misses(place.bounds, place.kind)) {
      note(id, "referenced, but listed as free: taken for an older copy");
      return gap(id, place);
    }
    ++report_.sound_pages;
    if (options_.progress) options_.progress(report_.sound_pages);
    if (page.leaf) return leaf(page);
    for (std::uint32_t i = 0; i < page.count; ++i) {
      Place child{below(page, i, place.bounds), around(page, i, place.bounds), place.depth + 1,
                  place.kind};
      page.key(i, child.first);
      TRUSS_TRY(tree(page.child(i), child));
    }
    return {};
  }

  /// Whoever writes a child gives its branch the child's first key. Where something is wrong with
  /// the tree, a leaf with another key is none of this branch if the one meant is left over.
  bool stranger(const bolt::PageRef& page, const Place& place) const {
    bolt::KeyValue kv;
    return faulty_ && options_.stale && page.leaf && !place.first.empty() && page.count > 0 &&
           page.pair(0, kv) && kv.key != place.first &&
           orphans_->begins(place.first, place.bounds, place.kind);
  }

  Result<> leaf(const bolt::PageRef& page) {
    for (std::uint32_t i = 0; i < page.count; ++i) {
      bolt::KeyValue kv;
      if (page.pair(i, kv)) TRUSS_TRY(element(kv, page));
    }
    return {};
  }

  Result<> element(const bolt::KeyValue& kv, const bolt::PageRef& from) {
    if (last_.empty() || kv.key > last_.back()) {
      if (kv.is_bucket) return bucket(kv, from.id());
      if (names_.empty()) {
        note(from.id(), "pair " + quoted(kv.key.substr(0, 64)) + " outside any bucket, left out");
        return {};
      }
      if (!last_.empty()) last_.back() = kv.key;
      ++report_.pairs;
      return builder_.put(kv.key, kv.value);
    }
    note(from.id(), "key " + quoted(kv.key.substr(0, 64)) + " out of order, left out");
    return {};
  }

  Result<> bucket(const bolt::KeyValue& kv, std::uint64_t page) {
    if (kv.value.size() < bolt::kBucketHeaderBytes || names_.size() > bolt::kMaxNesting) {
      note(page, "bucket " + quoted(kv.key.substr(0, 64)) + " has a bad header, left out");
      return {};
    }
    if (!last_.empty()) last_.back() = kv.key;
    const auto root = load_le<std::uint64_t>(kv.value.data());
    TRUSS_TRY(builder_.begin_bucket(kv.key, load_le<std::uint64_t>(kv.value.data() + 8)));
    names_.push_back(kv.key);
    last_.emplace_back();
    ++report_.buckets;
    TRUSS_TRY(root == 0 ? inside(kv, page) : tree(root, {{}, {}, 0, guess(kv.key)}));
    last_.pop_back();
    names_.pop_back();
    return builder_.end_bucket();
  }

  /// etcd's bucket `key` holds revisions only.
  LeafKind guess(ByteView name) const {
    return names_.size() == 1 && name == "key" ? LeafKind::kRevisions : LeafKind::kOther;
  }

  Result<> inside(const bolt::KeyValue& kv, std::uint64_t page) {
    bolt::PageRef inlined;
    if (!bolt::View::load_inline(kv.value, inlined)) {
      note(page, "inline bucket can't be read");
      ++report_.open_gaps;
      return {};
    }
    for (std::uint32_t i = 0; i < inlined.count; ++i) {
      bolt::KeyValue pair;
      if (!inlined.pair(i, pair) || pair.key.empty() || pair.key.size() > bolt::kMaxKeyBytes) {
        ++report_.lost_elements;
        note(page, "element " + std::to_string(i) + " of an inline bucket can't be read");
        continue;
      }
      TRUSS_TRY(element(pair, inlined));
    }
    return {};
  }

  /// A page of the tree that is not sound: its pairs one by one if it is a leaf, a gap otherwise.
  Result<> damaged(std::uint64_t id, const Place& place) {
    bolt::PageRef branch;
    if (as_branch(id, branch)) return damaged_branch(id, branch, place);
    auto loose = read_loosely(image_, id, true);
    if (loose) {
      std::erase_if(loose->pairs, [&](const auto& kv) { return !in_bounds(kv.key, place.outer); });
    }
    if (!loose || loose->pairs.empty() || !written_.insert({id, 1})) {
      note(id, whole_.explain(id).message);
      return gap(id, place);
    }
    ++report_.mended_pages;
    report_.lost_elements += loose->lost_elements;
    note(id, "damaged leaf:" + (loose->repair.empty() ? " elements" : loose->repair) + " wrong; " +
                 std::to_string(loose->pairs.size()) + " pairs read, " +
                 std::to_string(loose->lost_elements) + " lost");
    bolt::PageRef from;
    from.data = image_.page_bytes(id);
    for (const bolt::KeyValue& kv : loose->pairs) TRUSS_TRY(element(kv, from));
    return {};
  }

  /// Keys can't be relied on: each child is asked with the bounds of the whole branch, in order of
  /// its first key.
  Result<> damaged_branch(std::uint64_t id, const bolt::PageRef& branch, const Place& place) {
    if (place.depth > bolt::kMaxWalkDepth || !written_.insert({id, 1})) {
      note(id, "branch referenced a second time");
      return gap(id, place);
    }
    ++report_.mended_pages;
    note(id, "damaged branch: its children are taken by their own keys");
    for (std::uint32_t i = 0; i < branch.count; ++i) {
      TRUSS_TRY(tree(branch.child(i),
                     {place.outer, around(branch, i, place.outer), place.depth + 1, place.kind}));
    }
    return {};
  }

  Result<> gap(std::uint64_t id, const Place& place) {
    if (!options_.stale) {
      ++report_.open_gaps;
      return {};
    }
    LeafKind kind = place.kind;
    auto found = orphans_->gather(place.bounds, kind);
    if (found.pairs.empty()) {
      ++report_.open_gaps;
      note(id, "no leaf page in the file fits the gap");
      return {};
    }
    report_.orphan_pages += found.pages;
    report_.orphan_pairs += found.pairs.size();
    report_.conflicts += found.conflicts;
    note(id, "gap filled with " + std::to_string(found.pairs.size()) + " pairs of " +
                 std::to_string(found.pages) + " pages that nothing refers to; " +
                 std::to_string(found.conflicts) + " had several values");
    for (const bolt::KeyValue& kv : found.pairs) {
      bolt::PageRef from;
      from.data = image_.page_bytes(id < image_.file_pages() ? id : 0);
      TRUSS_TRY(element(kv, from));
    }
    return {};
  }

  /// Without a top level there are still leaves: etcd's revisions go to `key`, the rest together.
  Result<> homeless() {
    // A sound top level without buckets is no loss.
    if (report_.buckets > 0 || !options_.stale || report_.whole()) return {};
    for (const LeafKind kind : {LeafKind::kRevisions, LeafKind::kOther}) {
      auto found = orphans_->gather({}, kind);
      if (found.pairs.empty()) continue;
      const ByteView name = kind == LeafKind::kRevisions ? ByteView("key") : kHomeless;
      report_.homeless = true;
      report_.orphan_pages += found.pages;
      report_.orphan_pairs += found.pairs.size();
      report_.conflicts += found.conflicts;
      TRUSS_TRY(builder_.begin_bucket(name, 0));
      ++report_.buckets;
      for (const bolt::KeyValue& kv : found.pairs) {
        if (kv.is_bucket) continue;
        ++report_.pairs;
        TRUSS_TRY(builder_.put(kv.key, kv.value));
      }
      TRUSS_TRY(builder_.end_bucket());
    }
    return {};
  }

  const Image& image_;
  bolt::Builder& builder_;
  const SalvageOptions& options_;
  bolt::View whole_;  ///< all pages of the file, also past the high-water mark
  bolt::PageSet reached_;
  bolt::PageSet written_;
  bool faulty_ = false;  ///< the tree has a damaged page, or one met twice
  Orphans* orphans_ = nullptr;
  std::vector<ByteView> names_;
  std::vector<ByteView> last_;  ///< last key written to each of names_
  SalvageReport report_;
};

}  // namespace

Result<SalvageReport> salvage(const Image& image, File& file, const std::string& path,
                              const SalvageOptions& options) {
  bolt::Builder builder(file, path,
                        {.page_size = static_cast<std::uint32_t>(image.page_size()),
                         .sequence = image.meta().sequence});
  TRUSS_ASSIGN(SalvageReport report, Salvager(image, builder, options).run());
  if (report.buckets == 0 && !report.whole()) {
    return fail(Code::kCorruption, "bolt " + image.path() + ": nothing could be gathered from " +
                                       std::to_string(image.file_pages()) + " pages");
  }
  TRUSS_TRY(builder.finish());
  return report;
}

}  // namespace truss::bolttool
