#include "bucket_impl.h"
#include "tx_impl.h"

// Frees every page of a removed bucket and of the buckets inside it, whether still in the file or
// already in memory.
namespace truss::bolt {

Result<> Bucket::Impl::drop() {
  TreeRef at;
  if (!top(at)) return tl::unexpected(top_error());
  Run pages;
  if (!at.node && root != 0) pages = {root, std::uint64_t{at.page.overflow()} + 1};
  return drop_tree(at, pages, 0);
}

Result<> Bucket::Impl::drop_tree(const TreeRef& at, Run pages, int depth) {
  if (depth == kMaxDepth) return tl::unexpected(too_deep());
  TRUSS_TRY(tx.free(at.node ? at.node->pages : pages));
  if (at.leaf()) return drop_children(at);
  for (std::uint32_t i = 0; i < at.count(); ++i) {
    TreeRef below;
    if (!at.child(tx.view, i, below)) return tl::unexpected(tx.view.explain(at.child_page(i)));
    Run below_pages;
    if (!below.node) below_pages = {at.child_page(i), std::uint64_t{below.page.overflow()} + 1};
    TRUSS_TRY(drop_tree(below, below_pages, depth + 1));
  }
  return {};
}

Result<> Bucket::Impl::drop_children(const TreeRef& leaf) {
  for (std::uint32_t i = 0; i < leaf.count(); ++i) {
    KeyValue kv;
    if (!leaf.pair(i, kv)) return tl::unexpected(element_error(leaf, i));
    if (!kv.is_bucket) continue;
    if (const auto it = children.find(kv.key); it != children.end()) {
      TRUSS_TRY(it->second->drop());
      it->second->mark_removed();
      continue;
    }
    Impl child(tx, this, kv.key);
    TRUSS_TRY(child.read_value(kv.value));
    TRUSS_TRY(child.drop());
  }
  return {};
}

}  // namespace truss::bolt
