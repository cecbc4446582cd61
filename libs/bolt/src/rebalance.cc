#include "bucket_impl.h"
#include "tx_impl.h"

// Before a commit writes: nodes that lost items are merged with a neighbour when small, empty ones
// vanish, and a root with one child gives way to it. Only nodes in memory are looked at.
namespace truss::bolt {

Result<> Bucket::Impl::prepare() {
  for (auto& [child_name, child] : children) {
    TRUSS_TRY(child->prepare());
    if (!child->changed()) continue;
    // Its element will get a new value: bring the leaf that holds it into memory.
    Path path;
    TRUSS_TRY(descend(child_name, path));
  }
  hint_ = {};
  if (!root_node) return {};
  TRUSS_TRY(rebalance(*root_node, 0));
  return collapse_root();
}

Result<> Bucket::Impl::rebalance(Node& branch, int depth) {
  if (branch.leaf) return {};
  if (depth == kMaxDepth) return tl::unexpected(too_deep());
  for (std::uint32_t i = 0; i < branch.count; ++i) {
    if (branch.items[i].has_node()) TRUSS_TRY(rebalance(*branch.items[i].node(), depth + 1));
  }
  for (std::uint32_t i = 0; i < branch.count;) {
    const Item& item = branch.items[i];
    if (item.has_node() && item.node()->unbalanced) {
      TRUSS_TRY(rebalance_child(branch, i));
    } else {
      ++i;
    }
  }
  return {};
}

/// Handles child `i`, and sets i to the next child to look at.
Result<> Bucket::Impl::rebalance_child(Node& branch, std::uint32_t& i) {
  Node& child = *branch.items[i].node();
  child.unbalanced = false;
  if (child.count == 0) {
    TRUSS_TRY(tx.free(child.pages));
    branch.erase(i);
    branch.unbalanced = true;
    return {};
  }
  const std::uint32_t few = child.leaf ? 1 : 2;
  const bool small = child.count <= few || child.bytes() <= tx.view.page_size / 4;
  if (!small || branch.count == 1) {
    ++i;
    return {};
  }
  if (i == 0) {
    TRUSS_ASSIGN(Node * next, child_in_memory(branch, 1));
    TRUSS_TRY(merge(child, *next));
    branch.erase(1);
    ++i;
  } else {
    TRUSS_ASSIGN(Node * previous, child_in_memory(branch, i - 1));
    TRUSS_TRY(merge(*previous, child));
    branch.erase(i);
  }
  branch.unbalanced = true;
  return {};
}

Result<> Bucket::Impl::merge(Node& into, Node& from) {
  if (into.leaf != from.leaf) {
    return fail(Code::kCorruption, "bolt " + *tx.view.path +
                                       ": a leaf and a branch are siblings (pages " +
                                       std::to_string(into.pages.first) + " and " +
                                       std::to_string(from.pages.first) + ")");
  }
  into.append(tx.writer->objects, from.all());
  return tx.free(from.pages);
}

Result<> Bucket::Impl::collapse_root() {
  for (int depth = 0; !root_node->leaf && root_node->count <= 1; ++depth) {
    if (depth == kMaxDepth) return tl::unexpected(too_deep());
    if (root_node->count == 0) {
      root_node->leaf = true;
      break;
    }
    TRUSS_ASSIGN(Node * child, child_in_memory(*root_node, 0));
    TRUSS_TRY(tx.free(root_node->pages));
    root_node = child;
  }
  return {};
}

}  // namespace truss::bolt
