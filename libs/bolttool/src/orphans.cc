#include "orphans.h"

#include <algorithm>

#include "truss/bolt/freelist_page.h"
#include "truss/schema/revision.h"

namespace truss::bolttool {

LeafKind kind_of(const LooseLeaf& leaf) {
  const bool revisions = std::all_of(leaf.pairs.begin(), leaf.pairs.end(), [](const auto& kv) {
    return !kv.is_bucket && schema::decode_revision(kv.key).has_value();
  });
  if (revisions) return LeafKind::kRevisions;
  const bool buckets = std::all_of(leaf.pairs.begin(), leaf.pairs.end(),
                                   [](const auto& kv) { return kv.is_bucket; });
  return buckets ? LeafKind::kBuckets : LeafKind::kOther;
}

Orphans::Orphans(const Image& image, const bolt::PageSet& reached) : free_(image.file_pages()) {
  if (image.meta().page_size != 0 && image.meta().freelist != bolt::kNoFreelist) {
    if (const auto list = bolt::read_freelist(image.view(), image.meta().freelist)) {
      for (const std::uint64_t id : list->ids) static_cast<void>(free_.insert({id, 1}));
    }
  }
  for (std::uint64_t id = bolt::kFirstDataPage; id < image.file_pages(); ++id) {
    if (reached.contains(id)) continue;
    auto leaf = read_loosely(image, id, false);
    if (!leaf) continue;
    const LeafKind kind = kind_of(*leaf);
    pages_.push_back({*std::move(leaf), kind, free_.contains(id), false});
  }
}

bool Orphans::fits(const Page& page, const bolt::KeyBounds& bounds, LeafKind kind) {
  if (page.kind != kind) return false;
  if (bounds.has_low && page.leaf.first() < bounds.low) return false;
  return !bounds.has_high || page.leaf.last() < bounds.high;
}

bool Orphans::misses(const bolt::KeyBounds& bounds, LeafKind kind) const {
  return std::any_of(pages_.begin(), pages_.end(), [&](const Page& page) {
    return !page.listed_free && fits(page, bounds, kind);
  });
}

bool Orphans::begins(ByteView key, const bolt::KeyBounds& bounds, LeafKind kind) const {
  return std::any_of(pages_.begin(), pages_.end(), [&](const Page& page) {
    return !page.listed_free && page.leaf.first() == key && fits(page, bounds, kind);
  });
}

Orphans::Gathered Orphans::gather(const bolt::KeyBounds& bounds, LeafKind kind) {
  std::vector<Page*> fitting;
  for (Page& page : pages_) {
    if (fits(page, bounds, kind)) fitting.push_back(&page);
  }
  // The last one wins.
  std::stable_sort(fitting.begin(), fitting.end(),
                   [](const Page* a, const Page* b) { return a->listed_free > b->listed_free; });
  std::map<ByteView, bolt::KeyValue> merged;
  Gathered out;
  for (Page* page : fitting) {
    page->used = true;
    ++out.pages;
    for (const bolt::KeyValue& kv : page->leaf.pairs) {
      const auto [at, fresh] = merged.emplace(kv.key, kv);
      if (fresh) continue;
      if (at->second.value != kv.value) ++out.conflicts;
      at->second = kv;
    }
  }
  for (const auto& [key, kv] : merged) out.pairs.push_back(kv);
  return out;
}

}  // namespace truss::bolttool
