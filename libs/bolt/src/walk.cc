#include "walk.h"

namespace truss::bolt {

bool PageSet::insert(Run run) {
  for (std::uint64_t page = run.first; page < run.first + run.count; ++page) {
    if (page >= bits_.size() || bits_[page]) return false;
    bits_[page] = true;
  }
  return true;
}

void PageWalk::report(Error error) {
  fault_(std::move(error));
  stopped_ = stopped_ || stop_early_;
}

void PageWalk::spare_memory() {
  constexpr std::uint64_t kPages = 512;  // the kernel maps up to 64 KiB around each: 32 MiB
  if (!view_.low_memory || ++since_drop_ < kPages) return;
  since_drop_ = 0;
  view_.map->drop_resident();
}

void PageWalk::tree(std::uint64_t root) { page(root, {}, 0, 0); }

void PageWalk::page(std::uint64_t id, const Bounds& bounds, int depth, std::uint32_t nesting) {
  if (stopped_) return;
  PageRef page;
  if (!view_.load(id, page)) return report(view_.explain(id));
  if (depth > kMaxWalkDepth) {
    return report(view_.corrupt(
        page.data, "more than " + std::to_string(kMaxWalkDepth) + " levels above it (a loop)"));
  }
  if (!seen_.insert({id, std::uint64_t{page.overflow()} + 1})) {
    return report(view_.corrupt(page.data, "it, or an overflow page of it, is referenced twice"));
  }
  spare_memory();
  if (page.leaf) {
    leaf(page, bounds, depth, nesting);
  } else {
    branch(page, bounds, depth, nesting);
  }
}

void PageWalk::element(const PageRef& page, std::uint32_t i, ByteView key, ByteView before,
                       const Bounds& bounds) {
  if (!strict_) return;
  const auto fault = [&](const char* what) {
    report(view_.corrupt(page.data + page.element_at(i), "element " + std::to_string(i) + ": key " +
                                                             quoted(key.substr(0, 64)) + what));
  };
  if (key.empty()) fault(" is empty");
  if (key.size() > kMaxKeyBytes) fault(" is longer than 32768 bytes");
  if (key.data() < page.data + page.element_at(page.count)) fault(" lies among the elements");
  if (i > 0 && key <= before) fault(" is not greater than the key before it");
  if (i == 0 && bounds.has_low && key < bounds.low) fault(" is below the key of its parent");
  if (bounds.has_high && key >= bounds.high) fault(" is not below the next key of its parent");
}

void PageWalk::branch(const PageRef& at, const Bounds& bounds, int depth, std::uint32_t nesting) {
  ByteView before;
  for (std::uint32_t i = 0; i < at.count && !stopped_; ++i) {
    ByteView key, next;
    if (!at.key(i, key)) return report(view_.explain_element(at, i));
    element(at, i, key, before, bounds);
    Bounds below{key, bounds.high, true, bounds.has_high};
    if (i + 1 < at.count) {
      if (!at.key(i + 1, next)) return report(view_.explain_element(at, i + 1));
      below.high = next;
      below.has_high = true;
    }
    page(at.child(i), below, depth + 1, nesting);
    before = key;
  }
}

void PageWalk::leaf(const PageRef& at, const Bounds& bounds, int depth, std::uint32_t nesting) {
  ByteView before;
  for (std::uint32_t i = 0; i < at.count && !stopped_; ++i) {
    KeyValue kv;
    if (!at.pair(i, kv)) return report(view_.explain_element(at, i));
    element(at, i, kv.key, before, bounds);
    if (kv.is_bucket) bucket(kv, depth + 1, nesting + 1);
    before = kv.key;
  }
}

void PageWalk::bucket(const KeyValue& kv, int depth, std::uint32_t nesting) {
  if (kv.value.size() < kBucketHeaderBytes) {
    return report(view_.corrupt(kv.value.data(), "bucket " + quoted(kv.key.substr(0, 64)) +
                                                     " has a value of " +
                                                     std::to_string(kv.value.size()) + " bytes"));
  }
  if (nesting > kMaxNesting) {
    return report(view_.corrupt(kv.value.data(),
                                "buckets nested deeper than " + std::to_string(kMaxNesting)));
  }
  const auto root = load_le<std::uint64_t>(kv.value.data());
  if (root != 0) return page(root, {}, depth, nesting);
  PageRef inline_page;
  if (!View::load_inline(kv.value, inline_page)) {
    return report(view_.corrupt(
        kv.value.data(), "bucket " + quoted(kv.key.substr(0, 64)) + " has a bad inline page"));
  }
  leaf(inline_page, {}, depth, nesting);
}

Result<PageSet> reachable_pages(const View& view, const Meta& meta) {
  std::optional<Error> first;
  PageWalk walk(view, false, true, [&](Error error) { first = std::move(error); });
  walk.tree(meta.root);
  if (first) return tl::unexpected(std::move(*first));
  return std::move(walk.seen());
}

}  // namespace truss::bolt
