#include "node.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace truss::bolt {
namespace {

/// Copies pieces one after the other; pieces that lie next to each other in memory (untouched
/// elements of a page, keys and values put in order) go in one copy.
class Gather {
 public:
  explicit Gather(char* out) : out_(out) {}
  void add(ByteView piece) {
    if (piece.empty()) return;
    if (piece.data() != start_ + size_) {
      flush();
      start_ = piece.data();
    }
    size_ += piece.size();
  }
  char* finish() {
    flush();
    return out_;
  }

 private:
  void flush() {
    if (size_ > 0) std::memcpy(out_, start_, size_);
    out_ += size_;
    size_ = 0;
  }
  char* out_;
  const char* start_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace

std::uint64_t Node::bytes() const {
  std::uint64_t total = kHeaderBytes;
  for (std::uint32_t i = 0; i < count; ++i) total += item_bytes(i);
  return total;
}

std::uint32_t Node::child_index(ByteView target) const {
  bool exact = false;
  const std::uint32_t at = lower_bound(target, exact);
  return exact || at == 0 ? at : at - 1;
}

std::uint32_t Node::lower_bound(ByteView target, bool& exact) const {
  std::uint32_t low = 0, high = count;
  exact = false;
  while (low < high) {
    const std::uint32_t middle = (low + high) / 2;
    // As in PageRef::lower_bound: both next keys under way.
    __builtin_prefetch(items[(low + middle) / 2].key().data());
    if (middle + 1 < high) __builtin_prefetch(items[(middle + 1 + high) / 2].key().data());
    const int order = compare_keys(items[middle].key(), target);
    if (order == 0) {
      exact = true;
      return middle;
    }
    if (order < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

namespace {

void reserve(Arena& arena, Node& node, std::uint32_t wanted) {
  if (wanted <= node.capacity) return;
  const std::uint32_t capacity = std::max(wanted, node.capacity * 2);
  Item* items = arena.array<Item>(capacity);
  if (node.count > 0) std::memcpy(static_cast<void*>(items), node.items, node.count * sizeof(Item));
  node.items = items;
  node.capacity = capacity;
}

}  // namespace

void Node::insert(Arena& arena, std::uint32_t at, const Item& item) {
  const Item copy = item;
  reserve(arena, *this, count + 1);
  std::memmove(static_cast<void*>(items + at + 1), items + at, (count - at) * sizeof(Item));
  items[at] = copy;
  ++count;
}

void Node::erase(std::uint32_t at) {
  std::memmove(static_cast<void*>(items + at), items + at + 1, (count - at - 1) * sizeof(Item));
  --count;
}

void Node::append(Arena& arena, std::span<const Item> more) {
  const auto added = static_cast<std::uint32_t>(more.size());
  if (added == 0) return;
  reserve(arena, *this, count + added);
  std::memcpy(static_cast<void*>(items + count), more.data(), added * sizeof(Item));
  count += added;
}

Node* new_node(Arena& arena, bool leaf, std::uint32_t capacity) {
  Node* node = new (arena.allocate(sizeof(Node))) Node;
  node->leaf = leaf;
  node->items = arena.array<Item>(capacity);
  node->capacity = capacity;
  return node;
}

Node* read_node(Arena& arena, const PageRef& page, Run pages, std::uint32_t& bad) {
  Node* node = new_node(arena, page.leaf, page.count + 8);
  node->pages = pages;
  for (std::uint32_t i = 0; i < page.count; ++i) {
    KeyValue kv;
    if ((page.leaf ? !page.pair(i, kv) : !page.key(i, kv.key)) ||
        kv.value.size() > kMaxValueBytes) {
      bad = i;
      return nullptr;
    }
    node->items[i] =
        page.leaf ? Item::pair(kv.key, kv.value, kv.is_bucket) : Item::page(kv.key, page.child(i));
  }
  node->count = page.count;
  return node;
}

void encode_page(std::span<const Item> items, bool leaf, std::uint64_t id, std::uint32_t overflow,
                 char* out, std::uint64_t room) {
  store_le(out, id);
  store_le(out + 8, leaf ? kLeafFlag : kBranchFlag);
  store_le(out + 10, static_cast<std::uint16_t>(items.size()));
  store_le(out + 12, overflow);
  char* element = out + kHeaderBytes;
  std::uint64_t data = kHeaderBytes + kElementBytes * items.size();
  Gather gather(out + data);
  for (const Item& item : items) {
    const ByteView key = item.key();
    const auto pos = static_cast<std::uint32_t>(out + data - element);
    gather.add(key);
    data += key.size();
    if (leaf) {
      const ByteView value = item.value();
      store_le(element, item.is_bucket() ? kBucketElement : 0);
      store_le(element + 4, pos);
      store_le(element + 8, static_cast<std::uint32_t>(key.size()));
      store_le(element + 12, static_cast<std::uint32_t>(value.size()));
      gather.add(value);
      data += value.size();
    } else {
      store_le(element, pos);
      store_le(element + 4, static_cast<std::uint32_t>(key.size()));
      store_le(element + 8, item.page());
    }
    element += kElementBytes;
  }
  char* end = gather.finish();
  std::memset(end, 0, room - static_cast<std::uint64_t>(end - out));
}

}  // namespace truss::bolt
