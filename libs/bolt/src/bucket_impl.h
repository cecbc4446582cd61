#pragma once

#include <absl/container/btree_map.h>

#include <memory>

#include "tree.h"

namespace truss::bolt {

/// One bucket as a transaction sees it. In a write transaction the pages it changed are nodes,
/// linked from the root; everything else stays in the file.
///
/// Its parts: tree.cc (way down, put, remove), bucket.cc (nested buckets, public handle),
/// drop.cc (freeing a removed bucket), rebalance.cc and spill.cc (commit).
struct Bucket::Impl {
  Impl(Tx::Impl& transaction, Impl* parent_bucket, ByteView own_name)
      : tx(transaction),
        parent(parent_bucket),
        name(own_name),
        nesting(parent_bucket ? parent_bucket->nesting + 1 : 0) {}

  /// Takes root and sequence from the value of the bucket's element. Errors: kCorruption.
  Result<> read_value(ByteView value);

  // -- tree.cc
  bool top(TreeRef& out) const;
  Error top_error() const;
  /// Looks `key` up. False if absent.
  Result<bool> find(ByteView key, KeyValue& out) const;
  /// The way to the leaf for `key`, everything on it in memory.
  Result<> descend(ByteView key, Path& path);
  Result<> put(ByteView key, ByteView value, bool is_bucket);
  /// Invariant: `key` is there.
  Result<> erase(ByteView key);
  Error element_error(const TreeRef& at, std::uint32_t i) const;
  Error too_deep() const;
  Error too_many_leaves() const;

  // -- bucket.cc
  Result<Impl*> open(ByteView bucket_name);
  Result<Impl*> create(ByteView bucket_name);
  Result<> remove_child(ByteView bucket_name);
  Result<> move_child(ByteView bucket_name, Impl& to);
  /// Levels of buckets inside this one.
  Result<std::uint32_t> depth_inside();
  void set_nesting(std::uint32_t level);
  Result<> writable() const;
  void mark_removed() {
    removed = true;
    ++version;
  }

  // -- drop.cc
  Result<> drop();

  // -- rebalance.cc, spill.cc
  bool changed() const { return root_node != nullptr || header_changed; }
  Result<> prepare();
  Result<> spill();

  Tx::Impl& tx;
  Impl* parent;
  ByteView name;
  std::uint32_t nesting;

  std::uint64_t root = 0;  ///< page; 0 = inline
  std::uint64_t sequence = 0;
  PageRef inline_page;
  Node* root_node = nullptr;
  bool header_changed = false;
  bool removed = false;
  double fill = 0.5;
  std::uint64_t version = 0;  ///< counts changes, for cursors
  absl::btree_map<ByteView, std::unique_ptr<Impl>> children;

 private:
  Result<Node*> root_in_memory();
  Result<Node*> child_in_memory(Node& branch, std::uint32_t i);
  Result<Node*> leaf_for(ByteView key);
  bool hint_covers(ByteView key) const;
  Result<> split_full(ByteView key, bool appended);
  Result<> drop_tree(const TreeRef& at, Run pages, int depth);
  Result<> drop_children(const TreeRef& leaf);
  Result<> rebalance(Node& branch, int depth);
  Result<> rebalance_child(Node& branch, std::uint32_t& i);
  Result<> merge(Node& into, Node& from);
  Result<> collapse_root();
  bool fits_inline() const;
  Result<ByteView> encoded_value();

  /// The leaf that took the last change, and its key range: changes in order skip the way down.
  struct Hint {
    Node* leaf = nullptr;
    ByteView low, high;
    bool has_low = false, has_high = false;
  };
  Hint hint_;
};

}  // namespace truss::bolt
