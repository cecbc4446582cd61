#include "truss/bolt/walk.h"

#include <algorithm>
#include <bit>

namespace truss::bolt {
namespace {

constexpr std::size_t kShownKeyBytes = 64;

std::string shown(ByteView key) { return quoted(key.substr(0, kShownKeyBytes)); }

/// What is out of reach if a page between these bounds is lost; nothing if that isn't known.
std::string at_risk(const KeyBounds& bounds) {
  std::string out;
  if (bounds.has_low) out += " from " + shown(bounds.low);
  if (bounds.has_high) out += " below " + shown(bounds.high);
  return out.empty() ? out : "; out of reach: keys" + out;
}

}  // namespace

bool PageSet::insert(Run run) {
  for (std::uint64_t page = run.first; page < run.first + run.count; ++page) {
    if (page >= limit_) return false;
    const std::uint64_t bit = std::uint64_t{1} << (page % 64);
    if ((bits_[page / 64].fetch_or(bit, std::memory_order_relaxed) & bit) != 0) return false;
  }
  return true;
}

std::uint64_t PageSet::count() const {
  std::uint64_t total = 0;
  for (std::uint64_t i = 0; i < words_; ++i) {
    total += static_cast<std::uint64_t>(std::popcount(word(i)));
  }
  return total;
}

std::uint64_t PageSet::next(std::uint64_t first, std::uint64_t last, bool absent) const {
  const std::uint64_t end = std::min(last, limit_);
  for (std::uint64_t at = first; at < end; at += 64 - at % 64) {
    const std::uint64_t bits = (absent ? ~word(at / 64) : word(at / 64)) >> (at % 64);
    if (bits == 0) continue;
    const std::uint64_t found = at + static_cast<std::uint64_t>(std::countr_zero(bits));
    if (found < end) return found;
    break;
  }
  return absent ? std::min(last, std::max(first, end)) : last;
}

void PageWalk::report(Error error) {
  if (way_.size() > 1) {
    error.message += "; on the way";
    for (const std::uint64_t id : way_) error.message += " " + std::to_string(id);
  }
  for (const ByteView name : buckets_) error.message += "; in bucket " + shown(name);
  fault_(std::move(error));
  stopped_ = stopped_ || stop_early_;
}

void PageWalk::spare_memory() {
  constexpr std::uint64_t kPages = 512;  // the kernel maps up to 64 KiB around each: 32 MiB
  if (!view_.low_memory || ++since_drop_ < kPages) return;
  since_drop_ = 0;
  view_.map->drop_resident();
}

void PageWalk::lost_page(Error error, const Part& part) {
  error.message += at_risk(part.bounds);
  report(std::move(error));
  if (observer_) observer_->hole(part.root, part.bounds);
}

void PageWalk::part(const Part& part) {
  way_.clear();
  buckets_.clear();
  page(part);
}

std::vector<PageWalk::Part> PageWalk::below(const Part& from) {
  std::vector<Part> found;
  later_ = &found;
  part(from);
  later_ = nullptr;
  return found;
}

std::vector<PageWalk::Part> PageWalk::split(std::uint64_t root, std::size_t wanted) {
  std::vector<Part> queue{{root, {}, 0, 0}};
  std::size_t at = 0;
  while (at < queue.size() && queue.size() - at < wanted && !stopped_) {
    const std::vector<Part> found = below(queue[at++]);
    queue.insert(queue.end(), found.begin(), found.end());
  }
  queue.erase(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(at));
  return queue;
}

void PageWalk::descend(const Part& part) {
  if (later_) {
    later_->push_back(part);
    return;
  }
  page(part);
}

/// True if the part is a leaf that is known, which is marked then. One that can't be as told is
/// looked at.
bool PageWalk::known(const Part& part) {
  if (known_ == nullptr || part.depth > kMaxWalkDepth) return false;
  if (part.root < kFirstDataPage || part.root >= view_.page_limit) return false;
  const std::uint64_t pages = known_->pages(part.root);
  if (pages == 0 || pages > view_.page_limit - part.root) return false;
  return seen_.insert({part.root, pages});
}

void PageWalk::page(const Part& part) {
  if (stopped_ || known(part)) return;
  PageRef page;
  if (!view_.load(part.root, page)) return lost_page(view_.explain(part.root), part);
  if (part.depth > kMaxWalkDepth) {
    return lost_page(view_.corrupt(page.data, "more than " + std::to_string(kMaxWalkDepth) +
                                                  " levels above it (a loop)"),
                     part);
  }
  if (!seen_.insert({part.root, std::uint64_t{page.overflow()} + 1})) {
    return lost_page(view_.corrupt(page.data, "it, or an overflow page of it, is referenced twice"),
                     part);
  }
  spare_memory();
  way_.push_back(part.root);
  if (observer_) observer_->page(part.root, page, static_cast<int>(way_.size()) - 1);
  if (page.leaf) {
    leaf(page, part);
  } else {
    branch(page, part);
  }
  way_.pop_back();
}

void PageWalk::element(const PageRef& page, std::uint32_t i, ByteView key, const Before& before,
                       const KeyBounds& bounds) {
  const auto fault = [&](const char* what) {
    report(view_.corrupt(page.data + page.element_at(i),
                         "element " + std::to_string(i) + ": key " + shown(key) + what));
  };
  const char* begin = i == 0 ? page.data + page.element_at(page.count) : before.data_end;
  if (key.data() != begin) fault(" doesn't begin where the data before it ends");
  if (key.empty()) fault(" is empty");
  if (key.size() > kMaxKeyBytes) fault(" is longer than 32768 bytes");
  if (i > 0 && compare_keys(key, before.key) <= 0) fault(" is not greater than the key before it");
  if (i == 0 && bounds.has_low && key < bounds.low) fault(" is below the key of its parent");
  if (i + 1 == page.count && bounds.has_high && key >= bounds.high) {
    fault(" is not below the next key of its parent");
  }
}

void PageWalk::leaf_element(const PageRef& page, std::uint32_t i, const KeyValue& kv,
                            std::uint32_t nesting) {
  const char* at = page.data + page.element_at(i);
  if ((load_le<std::uint32_t>(at) & ~kBucketElement) != 0) [[unlikely]] {
    report(view_.corrupt(at, "element " + std::to_string(i) + ": unknown flags " +
                                 std::to_string(load_le<std::uint32_t>(at))));
  }
  if (nesting == 0 && !kv.is_bucket) [[unlikely]] {
    report(view_.corrupt(at, "element " + std::to_string(i) + ": key " + shown(kv.key) +
                                 " holds a value, but the top level holds buckets only"));
  }
}

void PageWalk::branch(const PageRef& at, const Part& part) {
  ByteView key, next;
  if (!at.key(0, next)) return report(view_.explain_element(at, 0));
  Before before;
  for (std::uint32_t i = 0; i < at.count && !stopped_; ++i) {
    key = next;
    if (strict_) element(at, i, key, before, part.bounds);
    KeyBounds below{key, part.bounds.high, true, part.bounds.has_high};
    if (i + 1 < at.count) {
      if (!at.key(i + 1, next)) return report(view_.explain_element(at, i + 1));
      below.high = next;
      below.has_high = true;
    }
    if (!strict_ && known_ == nullptr && i + 1 < at.count) view_.prefetch(at.child(i + 1));
    descend({at.child(i), below, part.depth + 1, part.nesting});
    before = {key, key.data() + key.size()};
  }
}

void PageWalk::leaf(const PageRef& at, const Part& part) {
  Before before;
  for (std::uint32_t i = 0; i < at.count && !stopped_; ++i) {
    KeyValue kv;
    if (!at.pair(i, kv)) return report(view_.explain_element(at, i));
    if (strict_) {
      element(at, i, kv.key, before, part.bounds);
      leaf_element(at, i, kv, part.nesting);
    }
    if (kv.is_bucket) bucket(kv, part);
    before = {kv.key, kv.value.data() + kv.value.size()};
  }
}

void PageWalk::bucket(const KeyValue& kv, const Part& part) {
  if (kv.value.size() < kBucketHeaderBytes) {
    return report(view_.corrupt(kv.value.data(), "bucket " + shown(kv.key) + " has a value of " +
                                                     std::to_string(kv.value.size()) + " bytes"));
  }
  const Part inside{0, {}, part.depth + 1, part.nesting + 1};
  if (inside.nesting > kMaxNesting) {
    return report(view_.corrupt(kv.value.data(),
                                "buckets nested deeper than " + std::to_string(kMaxNesting)));
  }
  buckets_.push_back(kv.key);
  const auto root = load_le<std::uint64_t>(kv.value.data());
  if (root == 0) {
    inline_bucket(kv, inside);
  } else {
    paged_bucket(kv, root, inside);
  }
  buckets_.pop_back();
}

void PageWalk::paged_bucket(const KeyValue& kv, std::uint64_t root, const Part& part) {
  std::vector<std::uint64_t> outside;
  outside.swap(way_);
  if (observer_) observer_->enter_bucket(kv, nullptr);
  descend({root, {}, part.depth, part.nesting});
  if (observer_) observer_->leave_bucket();
  way_.swap(outside);
}

void PageWalk::inline_bucket(const KeyValue& kv, const Part& part) {
  PageRef page;
  if (!View::load_inline(kv.value, page)) {
    return report(
        view_.corrupt(kv.value.data(), "bucket " + shown(kv.key) + " has a bad inline page"));
  }
  if (observer_) observer_->enter_bucket(kv, &page);
  leaf(page, part);
  if (observer_) observer_->leave_bucket();
}

Result<PageSet> reachable_pages(const View& view, const Meta& meta, unsigned threads,
                                const KnownLeaves* known) {
  PageSet seen(view.page_limit);
  std::vector<Error> faults = walk_tree(view, meta, false, threads, seen, known);
  if (!faults.empty()) return tl::unexpected(std::move(faults.front()));
  return seen;
}

}  // namespace truss::bolt
