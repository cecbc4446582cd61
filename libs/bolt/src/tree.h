#pragma once

#include "node.h"

namespace truss::bolt {

/// A level of a tree on the way down: a node in memory or a page of the file.
struct TreeRef {
  Node* node = nullptr;
  PageRef page;

  bool leaf() const { return node ? node->leaf : page.leaf; }
  std::uint32_t count() const { return node ? node->count : page.count; }
  bool pair(std::uint32_t i, KeyValue& out) const {
    if (!node) return page.pair(i, out);
    out = node->items[i].key_value();
    return true;
  }
  bool child_index(ByteView target, std::uint32_t& out) const {
    if (!node) return page.child_index(target, out);
    out = node->child_index(target);
    return true;
  }
  bool lower_bound(ByteView target, std::uint32_t& out, bool& exact) const {
    if (!node) return page.lower_bound(target, out, exact);
    out = node->lower_bound(target, exact);
    return true;
  }
  /// Page that child `i` of a branch lies in; 0 if it is a node in memory.
  std::uint64_t child_page(std::uint32_t i) const {
    if (!node) return page.child(i);
    return node->items[i].has_node() ? 0 : node->items[i].page();
  }
  /// Goes to child `i` of a branch. False on a lying page, which is child_page(i).
  bool child(const View& view, std::uint32_t i, TreeRef& out) const {
    if (node && node->items[i].has_node()) {
      out.node = node->items[i].node();
      return true;
    }
    const std::uint64_t id = child_page(i);
    out.node = nullptr;
    return view.load(id, out.page);
  }
};

/// Nodes from the root to a leaf, all in memory, and the key range [low, high) of the leaf.
struct Path {
  struct Step {
    Node* node;
    std::uint32_t index;
  };
  Step steps[kMaxDepth];
  int depth = 0;
  Node* leaf = nullptr;
  ByteView low, high;
  bool has_low = false, has_high = false;
};

}  // namespace truss::bolt
