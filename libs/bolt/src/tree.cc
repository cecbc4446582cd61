#include <cstring>

#include "bucket_impl.h"
#include "tx_impl.h"

namespace truss::bolt {
namespace {

/// A node above it is cut in two, so that inserting stays cheap in a long transaction.
constexpr std::uint32_t kMaxItems = 1024;

}  // namespace

bool Bucket::Impl::top(TreeRef& out) const {
  out.node = root_node;
  if (root_node) return true;
  if (root == 0) {
    out.page = inline_page;
    return true;
  }
  return tx.view.load(root, out.page);
}

Error Bucket::Impl::top_error() const { return tx.view.explain(root); }

Error Bucket::Impl::element_error(const TreeRef& at, std::uint32_t i) const {
  return tx.view.explain_element(at.page, i);
}

Error Bucket::Impl::too_deep() const {
  return Error{Code::kCorruption, "bolt " + *tx.view.path + ": the tree under page " +
                                      std::to_string(root) + " is deeper than " +
                                      std::to_string(kMaxDepth) + " levels (a loop)"};
}

Error Bucket::Impl::too_many_leaves() const {
  return Error{Code::kCorruption, "bolt " + *tx.view.path + ": the tree under page " +
                                      std::to_string(root) +
                                      " has more leaves than the file pages (" +
                                      std::to_string(tx.meta.high_water) + "): a page is shared"};
}

Result<bool> Bucket::Impl::find(ByteView key, KeyValue& out) const {
  TreeRef at;
  if (!top(at)) return tl::unexpected(top_error());
  for (int depth = 0; depth < kMaxDepth; ++depth) {
    std::uint32_t i = 0;
    if (at.leaf()) {
      bool exact = false;
      if (!at.lower_bound(key, i, exact) || (exact && !at.pair(i, out))) {
        return tl::unexpected(element_error(at, i));
      }
      return exact;
    }
    if (!at.child_index(key, i)) return tl::unexpected(element_error(at, i));
    TreeRef below;
    if (!at.child(tx.view, i, below)) return tl::unexpected(tx.view.explain(at.child_page(i)));
    at = below;
  }
  return tl::unexpected(too_deep());
}

Result<Node*> Bucket::Impl::root_in_memory() {
  if (root_node) return root_node;
  TreeRef at;
  if (!top(at)) return tl::unexpected(top_error());
  const Run pages = root == 0 ? Run{} : Run{root, std::uint64_t{at.page.overflow()} + 1};
  std::uint32_t bad = 0;
  root_node = read_node(tx.writer->objects, at.page, pages, bad);
  if (!root_node) return tl::unexpected(element_error(at, bad));
  return root_node;
}

Result<Node*> Bucket::Impl::child_in_memory(Node& branch, std::uint32_t i) {
  Item& item = branch.items[i];
  if (item.has_node()) return item.node();
  PageRef page;
  if (!tx.view.load(item.page(), page)) return tl::unexpected(tx.view.explain(item.page()));
  std::uint32_t bad = 0;
  const Run pages{item.page(), std::uint64_t{page.overflow()} + 1};
  Node* node = read_node(tx.writer->objects, page, pages, bad);
  if (!node) return tl::unexpected(tx.view.explain_element(page, bad));
  item = Item::node(item.key(), node);
  return node;
}

Result<> Bucket::Impl::descend(ByteView key, Path& path) {
  TRUSS_ASSIGN(Node * node, root_in_memory());
  while (!node->leaf) {
    if (path.depth == kMaxDepth) return tl::unexpected(too_deep());
    const std::uint32_t i = node->child_index(key);
    if (i > 0) {
      path.low = node->items[i].key();
      path.has_low = true;
    }
    if (i + 1 < node->count) {
      path.high = node->items[i + 1].key();
      path.has_high = true;
    }
    path.steps[path.depth++] = {node, i};
    TRUSS_ASSIGN(node, child_in_memory(*node, i));
  }
  path.leaf = node;
  return {};
}

bool Bucket::Impl::hint_covers(ByteView key) const {
  return hint_.leaf && (!hint_.has_low || hint_.low <= key) &&
         (!hint_.has_high || key < hint_.high);
}

Result<Node*> Bucket::Impl::leaf_for(ByteView key) {
  if (hint_covers(key)) return hint_.leaf;
  Path path;
  TRUSS_TRY(descend(key, path));
  hint_ = {path.leaf, path.low, path.high, path.has_low, path.has_high};
  return path.leaf;
}

Result<> Bucket::Impl::put(ByteView key, ByteView value, bool is_bucket) {
  TRUSS_ASSIGN(Node * leaf, leaf_for(key));
  bool exact = false;
  const bool after_all = leaf->count > 0 && leaf->items[leaf->count - 1].key() < key;
  const std::uint32_t at = after_all ? leaf->count : leaf->lower_bound(key, exact);
  if (exact && leaf->items[at].is_bucket() != is_bucket) {
    return fail(Code::kInvalidArgument, "bolt " + *tx.view.path + ": key " + quoted(key) +
                                            " names a bucket, it can't hold a value");
  }
  ++version;
  if (exact) {
    leaf->items[at].set_value(tx.writer->bytes.copy(value));
    return {};
  }
  // Key and value side by side, and next to the pair put before: the page is then one copy.
  char* room = tx.writer->bytes.bytes(key.size() + value.size());
  std::memcpy(room, key.data(), key.size());
  if (!value.empty()) std::memcpy(room + key.size(), value.data(), value.size());
  leaf->insert(tx.writer->objects, at,
               Item::pair({room, key.size()}, {room + key.size(), value.size()}, is_bucket));
  if (leaf->count > kMaxItems) return split_full(key, at + 1 == leaf->count);
  return {};
}

Result<> Bucket::Impl::split_full(ByteView key, bool appended) {
  Path path;
  TRUSS_TRY(descend(key, path));
  hint_ = {};
  Arena& arena = tx.writer->objects;
  for (Node* node = path.leaf; node->count > kMaxItems;) {
    const std::uint32_t cut = appended ? node->count - 1 : node->count / 2;
    Node* right = new_node(arena, node->leaf, node->count - cut + 8);
    right->append(arena, node->all().subspan(cut));
    right->unbalanced = node->unbalanced;
    node->count = cut;
    const Item link = Item::node(right->items[0].key(), right);
    if (path.depth == 0) {
      root_node = new_node(arena, false, 8);
      root_node->insert(arena, 0, Item::node(node->items[0].key(), node));
      root_node->insert(arena, 1, link);
      break;
    }
    const Path::Step above = path.steps[--path.depth];
    above.node->insert(arena, above.index + 1, link);
    appended = appended && above.index + 2 == above.node->count;
    node = above.node;
  }
  return {};
}

Result<> Bucket::Impl::erase(ByteView key) {
  TRUSS_ASSIGN(Node * leaf, leaf_for(key));
  bool exact = false;
  const std::uint32_t at = leaf->lower_bound(key, exact);
  // A file that lies about its key order can hide the key from this second search.
  if (!exact) {
    return fail(Code::kCorruption,
                "bolt " + *tx.view.path + ": keys out of order near " + quoted(key));
  }
  leaf->erase(at);
  leaf->unbalanced = true;
  ++version;
  return {};
}

}  // namespace truss::bolt
