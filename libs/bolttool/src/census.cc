#include "census.h"

#include "truss/bolt/freelist_page.h"

namespace truss::bolttool {
namespace {

class Counter final : public bolt::PageWalk::Observer {
 public:
  Counter(Census& census, const bolt::View& view) : census_(census), view_(view) {}

  void page(std::uint64_t id, const bolt::PageRef& page, int level) override {
    BucketUse& use = bucket();
    mark(id, page);
    use.levels = std::max(use.levels, level + 1);
    use.overflow_pages += page.overflow();
    census_.reachable_pages += std::uint64_t{page.overflow()} + 1;
    if (page.leaf) {
      ++use.leaf_pages;
      use.leaf_used += count_leaf(page);
      return;
    }
    ++use.branch_pages;
    use.branch_used += bolt::kHeaderBytes + page.count * bolt::kElementBytes;
    for (std::uint32_t i = 0; i < page.count; ++i) {
      if (ByteView key; page.key(i, key)) use.branch_used += key.size();
    }
  }

  void enter_bucket(const bolt::KeyValue& element, const bolt::PageRef* inlined) override {
    ++bucket().buckets;
    BucketUse use;
    use.path = bucket().path;
    use.path.push_back(element.key);
    use.root = load_le<std::uint64_t>(element.value.data());
    use.sequence = load_le<std::uint64_t>(element.value.data() + 8);
    stack_.push_back(static_cast<std::uint32_t>(census_.buckets.size()));
    census_.buckets.push_back(std::move(use));
    if (!inlined) return;
    bucket().levels = 1;
    bucket().inline_bytes = element.value.size();
    count_leaf(*inlined);
  }
  void leave_bucket() override { stack_.pop_back(); }

 private:
  BucketUse& bucket() { return census_.buckets[stack_.back()]; }

  void mark(std::uint64_t id, const bolt::PageRef& page) {
    for (std::uint64_t i = 0; i <= page.overflow(); ++i) {
      census_.pages[id + i] = i > 0       ? PageUse::kOverflow
                              : page.leaf ? PageUse::kLeaf
                                          : PageUse::kBranch;
      census_.owner[id + i] = stack_.back();
    }
  }

  std::uint64_t count_leaf(const bolt::PageRef& page) {
    BucketUse& use = bucket();
    std::uint64_t used = bolt::kHeaderBytes;
    for (std::uint32_t i = 0; i < page.count; ++i) {
      bolt::KeyValue kv;
      if (!page.pair(i, kv)) continue;
      used += bolt::kElementBytes + kv.key.size() + kv.value.size();
      if (kv.is_bucket) continue;
      ++use.pairs;
      use.key_bytes += kv.key.size();
      use.value_bytes += kv.value.size();
    }
    return used;
  }

  Census& census_;
  const bolt::View& view_;
  std::vector<std::uint32_t> stack_{0};
};

void note(Census& census, const Error& error) {
  if (census.faults++ == 0) census.first_fault = error.message;
}

/// Marks free pages: those listed, or, without a list, all that the tree doesn't reach.
void count_free(Census& census, const Image& image, const bolt::PageSet& seen) {
  const std::uint64_t limit = image.view().page_limit;
  if (image.meta().freelist == bolt::kNoFreelist) {
    seen.for_each_gap(bolt::kFirstDataPage, limit,
                      [&](bolt::Run run) { census.free_runs.push_back(run); });
    return;
  }
  for (std::uint64_t id = bolt::kFirstDataPage; id < limit; ++id) {
    if (census.pages[id] == PageUse::kFree) census.pages[id] = PageUse::kLost;
  }
  auto list = bolt::read_freelist(image.view(), image.meta().freelist);
  if (!list) return note(census, list.error());
  census.freelist_pages = list->pages.count;
  for (std::uint64_t i = 0; i < list->pages.count; ++i) {
    census.pages[list->pages.first + i] = PageUse::kFreelist;
  }
  for (const std::uint64_t id : list->ids) {
    if (id < bolt::kFirstDataPage || id >= limit || census.pages[id] != PageUse::kLost) continue;
    census.pages[id] = PageUse::kFree;
    auto& runs = census.free_runs;
    if (!runs.empty() && runs.back().first + runs.back().count == id) {
      ++runs.back().count;
    } else {
      runs.push_back({id, 1});
    }
  }
}

struct BucketOrder {
  const bolt::View& view;
  const std::function<bool(const bolt::KeyValue&)>& visit;
  bool reverse = false;
  bool ended = false;
  bolt::PageSet seen;

  Result<> leaf(const bolt::PageRef& page) {
    for (std::uint32_t n = 0; n < page.count && !ended; ++n) {
      const std::uint32_t i = reverse ? page.count - 1 - n : n;
      bolt::KeyValue kv;
      if (!page.pair(i, kv)) return tl::unexpected(view.explain_element(page, i));
      ended = !visit(kv);
    }
    return {};
  }

  Result<> tree(std::uint64_t id, int depth) {
    bolt::PageRef page;
    if (!view.load(id, page)) return tl::unexpected(view.explain(id));
    if (depth > bolt::kMaxDepth || !seen.insert({id, std::uint64_t{page.overflow()} + 1})) {
      return tl::unexpected(
          view.corrupt(page.data, "it, or an overflow page of it, is referenced twice"));
    }
    if (page.leaf) return leaf(page);
    for (std::uint32_t n = 0; n < page.count && !ended; ++n) {
      TRUSS_TRY(tree(page.child(reverse ? page.count - 1 - n : n), depth + 1));
    }
    return {};
  }
};

}  // namespace

Census take_census(const Image& image) {
  Census census;
  census.buckets.emplace_back();
  census.buckets[0].root = image.meta().root;
  census.buckets[0].sequence = image.meta().sequence;
  const std::uint64_t limit = image.view().page_limit;
  census.pages.assign(limit, PageUse::kFree);
  census.owner.assign(limit, 0);
  for (std::uint64_t id = 0; id < std::min<std::uint64_t>(limit, 2); ++id) {
    census.pages[id] = PageUse::kMeta;
  }
  Counter counter(census, image.view());
  bolt::PageSet seen(limit);
  bolt::PageWalk walk(image.view(), seen, false, false, [&](const Error& e) { note(census, e); });
  walk.observe(&counter);
  walk.tree(image.meta().root);
  count_free(census, image, seen);
  for (const bolt::Run run : census.free_runs) census.free_pages += run.count;
  for (const PageUse use : census.pages) census.lost_pages += use == PageUse::kLost ? 1U : 0U;
  return census;
}

Result<> for_each_pair(const Image& image, const FoundBucket& bucket, bool reverse,
                       const std::function<bool(const bolt::KeyValue&)>& visit) {
  BucketOrder order{image.view(), visit, reverse, false, bolt::PageSet(image.view().page_limit)};
  return bucket.root == 0 ? order.leaf(bucket.inlined) : order.tree(bucket.root, 0);
}

Result<std::optional<bolt::KeyValue>> find_pair(const Image& image, const FoundBucket& bucket,
                                                ByteView key) {
  const bolt::View& view = image.view();
  bolt::PageRef page = bucket.inlined;
  std::uint64_t id = bucket.root;
  for (int depth = 0; depth < bolt::kMaxDepth; ++depth) {
    if (id != 0 && !view.load(id, page)) return tl::unexpected(view.explain(id));
    std::uint32_t i = 0;
    if (!page.leaf) {
      if (!page.child_index(key, i)) return tl::unexpected(view.explain_element(page, i));
      id = page.child(i);
      if (id == 0) return tl::unexpected(view.explain(id));
      continue;
    }
    bool exact = false;
    bolt::KeyValue kv;
    if (!page.lower_bound(key, i, exact) || (exact && !page.pair(i, kv))) {
      return tl::unexpected(view.explain_element(page, i));
    }
    if (!exact) return std::nullopt;
    return kv;
  }
  return tl::unexpected(view.corrupt(page.data, "the tree above it is too deep (a loop)"));
}

Result<FoundBucket> as_bucket(const Image& image, const bolt::KeyValue& kv) {
  const bolt::View& view = image.view();
  FoundBucket out;
  if (kv.value.size() < bolt::kBucketHeaderBytes) {
    return tl::unexpected(
        view.corrupt(kv.value.data(), "bucket " + quoted(kv.key) + ": too short"));
  }
  out.root = load_le<std::uint64_t>(kv.value.data());
  out.sequence = load_le<std::uint64_t>(kv.value.data() + 8);
  if (out.root == 0 && !bolt::View::load_inline(kv.value, out.inlined)) {
    return tl::unexpected(
        view.corrupt(kv.value.data(), "bucket " + quoted(kv.key) + " has a bad inline page"));
  }
  return out;
}

Result<FoundBucket> find_bucket(const Image& image, const std::vector<std::string>& path) {
  FoundBucket at{image.meta().root, image.meta().sequence, {}};
  std::string way;
  for (const std::string& name : path) {
    way += (way.empty() ? "" : "/") + name;
    TRUSS_ASSIGN(const auto kv, find_pair(image, at, name));
    if (!kv || !kv->is_bucket) {
      return fail(Code::kNotFound, "bolt " + image.path() + ": no bucket " + quoted(way));
    }
    TRUSS_ASSIGN(at, as_bucket(image, *kv));
  }
  return at;
}

}  // namespace truss::bolttool
