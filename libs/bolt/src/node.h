#pragma once

#include <span>

#include "arena.h"
#include "free_spans.h"
#include "truss/bolt/page.h"

namespace truss::bolt {

struct Node;

/// One element of a changed page: views into the mapping or the transaction's arena.
class Item {
 public:
  static Item pair(ByteView key, ByteView value, bool is_bucket) {
    Item item(key);
    item.value_ = value.data();
    item.value_size_ = static_cast<std::uint32_t>(value.size());
    item.flag_ = is_bucket;
    return item;
  }
  static Item page(ByteView key, std::uint64_t id) {
    Item item(key);
    item.page_ = id;
    return item;
  }
  static Item node(ByteView key, Node* node) {
    Item item(key);
    item.node_ = node;
    item.flag_ = true;
    return item;
  }

  ByteView key() const { return {key_, key_size_}; }
  // Of a leaf:
  ByteView value() const { return {value_, value_size_}; }
  bool is_bucket() const { return flag_; }
  KeyValue key_value() const { return {key(), value(), is_bucket()}; }
  void set_value(ByteView value) {
    value_ = value.data();
    value_size_ = static_cast<std::uint32_t>(value.size());
  }
  // Of a branch: a page of the file, or a node in memory.
  bool has_node() const { return flag_; }
  Node* node() const { return node_; }
  std::uint64_t page() const { return page_; }

  std::uint64_t leaf_bytes() const { return kElementBytes + key_size_ + value_size_; }
  std::uint64_t branch_bytes() const { return kElementBytes + key_size_; }

 private:
  explicit Item(ByteView key)
      : key_(key.data()), key_size_(static_cast<std::uint32_t>(key.size())) {}

  const char* key_;
  union {
    const char* value_;
    Node* node_;
    std::uint64_t page_;
  };
  std::uint32_t key_size_;
  std::uint32_t value_size_ : 31 = 0;
  std::uint32_t flag_ : 1 = 0;
};
static_assert(sizeof(Item) == 24);

/// A page taken into memory to be changed; it is written to a new place at commit. Lives in the
/// arena (trivially destructible).
struct Node {
  Item* items = nullptr;
  std::uint32_t count = 0;
  std::uint32_t capacity = 0;
  Run pages;  ///< it was read from, count 0 if none: freed when the node is written or dropped
  bool leaf = true;
  bool unbalanced = false;  ///< lost items: look at its size before writing

  std::span<const Item> all() const { return {items, count}; }
  std::uint64_t item_bytes(std::uint32_t i) const {
    return leaf ? items[i].leaf_bytes() : items[i].branch_bytes();
  }
  /// Bytes of the page it would make.
  std::uint64_t bytes() const;
  std::uint32_t child_index(ByteView target) const;
  std::uint32_t lower_bound(ByteView target, bool& exact) const;
  void insert(Arena& arena, std::uint32_t at, const Item& item);
  void erase(std::uint32_t at);
  void append(Arena& arena, std::span<const Item> more);
};

Node* new_node(Arena& arena, bool leaf, std::uint32_t capacity);

/// Takes a page into memory. An element that lies sets `bad` to its index and gives nullptr.
/// `pages` is the run to free later, {} for an inline page.
Node* read_node(Arena& arena, const PageRef& page, Run pages, std::uint32_t& bad);

/// Writes header, elements and data of a page at `out` and zeroes the rest of `room` bytes.
/// Branch items must name pages.
void encode_page(std::span<const Item> items, bool leaf, std::uint64_t id, std::uint32_t overflow,
                 char* out, std::uint64_t room);

}  // namespace truss::bolt
