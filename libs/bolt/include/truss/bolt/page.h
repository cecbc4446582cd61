#pragma once

#include <memory>
#include <string>

#include "truss/bolt/bolt.h"
#include "truss/bolt/format.h"
#include "truss/common/coding.h"

namespace truss::bolt {

/// Order of keys, as ByteView's own; the first eight bytes decide most comparisons without a call.
inline int compare_keys(ByteView a, ByteView b) {
  if (a.size() >= 8 && b.size() >= 8) [[likely]] {
    const std::uint64_t x = load_be64(a.data());
    const std::uint64_t y = load_be64(b.data());
    if (x != y) return x < y ? -1 : 1;
  }
  return a.compare(b);
}

/// A leaf or branch page in the mapped file, or an inline bucket's page inside a value. The bytes
/// are not trusted: each accessor checks what it reads against `bytes` and returns false on a lie.
struct PageRef {
  const char* data = nullptr;
  std::uint64_t bytes = 0;  ///< header to the end of the last overflow page
  std::uint32_t count = 0;
  bool leaf = false;

  /// Reads a header at `p` with room for `size` bytes. False unless it is a sound leaf or branch
  /// header whose element array fits (the caller sets `bytes` smaller for a page with overflow).
  bool read_header(const char* p, std::uint64_t size) {
    if (size < kHeaderBytes) return false;
    const auto flags = load_le<std::uint16_t>(p + 8);
    if (flags != kLeafFlag && flags != kBranchFlag) return false;
    data = p;
    bytes = size;
    count = load_le<std::uint16_t>(p + 10);
    leaf = flags == kLeafFlag;
    return kHeaderBytes + kElementBytes * count <= size && (leaf || count > 0);
  }
  std::uint64_t id() const { return load_le<std::uint64_t>(data); }
  std::uint32_t overflow() const { return load_le<std::uint32_t>(data + 12); }
  std::uint64_t element_at(std::uint32_t i) const { return kHeaderBytes + kElementBytes * i; }

  bool key(std::uint32_t i, ByteView& out) const {
    const std::uint64_t at = element_at(i);
    const char* e = data + at + (leaf ? 4 : 0);
    const std::uint64_t start = at + load_le<std::uint32_t>(e);
    const std::uint64_t size = load_le<std::uint32_t>(e + 4);
    if (start + size > bytes) [[unlikely]]
      return false;
    out = ByteView(data + start, size);
    return true;
  }
  /// Leaf pages only.
  bool pair(std::uint32_t i, KeyValue& out) const {
    const std::uint64_t at = element_at(i);
    const char* e = data + at;
    const std::uint64_t start = at + load_le<std::uint32_t>(e + 4);
    const std::uint64_t key_size = load_le<std::uint32_t>(e + 8);
    const std::uint64_t value_size = load_le<std::uint32_t>(e + 12);
    if (start + key_size + value_size > bytes) [[unlikely]]
      return false;
    out.key = ByteView(data + start, key_size);
    out.value = ByteView(data + start + key_size, value_size);
    out.is_bucket = (load_le<std::uint32_t>(e) & kBucketElement) != 0;
    return true;
  }
  /// Branch pages only.
  std::uint64_t child(std::uint32_t i) const {
    return load_le<std::uint64_t>(data + element_at(i) + 8);
  }
  /// Last element with key <= `target`, or the first. False with the index of a lying element.
  bool child_index(ByteView target, std::uint32_t& out) const {
    bool exact = false;
    if (!lower_bound(target, out, exact)) [[unlikely]]
      return false;
    if (!exact && out > 0) --out;
    return true;
  }
  /// First element with key >= `target`, `count` if none; `exact` if equal. False with the index
  /// of a lying element.
  bool lower_bound(ByteView target, std::uint32_t& out, bool& exact) const {
    std::uint32_t low = 0, high = count;
    exact = false;
    // A search waits for memory at each key: have those of the first steps come at once, then
    // always both next ones.
    if (count >= 8) {
      for (const std::uint32_t eighths : {4, 2, 6, 1, 3, 5, 7}) prefetch_key(count * eighths / 8);
    }
    while (low < high) {
      const std::uint32_t middle = (low + high) / 2;
      prefetch_key((low + middle) / 2);
      if (middle + 1 < high) prefetch_key((middle + 1 + high) / 2);
      ByteView k;
      if (!key(middle, k)) [[unlikely]] {
        out = middle;
        return false;
      }
      const int order = compare_keys(k, target);
      if (order == 0) {
        out = middle;
        exact = true;
        return true;
      }
      if (order < 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    out = low;
    return true;
  }

 private:
  /// A hint only: the address needn't be in the page.
  void prefetch_key(std::uint32_t i) const {
    const std::uint64_t at = element_at(i);
    __builtin_prefetch(data + at + load_le<std::uint32_t>(data + at + (leaf ? 4 : 0)));
  }
};

/// What one transaction sees of the file: a mapping kept alive, and the pages it may touch.
struct View {
  std::shared_ptr<Mapping> map;
  const char* base = nullptr;
  std::uint64_t page_size = 0;
  std::uint64_t page_limit = 0;  ///< pages below it lie inside mapping, file and high-water mark
  const std::string* path = nullptr;
  bool low_memory = false;  ///< see Options::low_memory

  /// The leaf or branch page `id`. False on a lie; explain(id) then says which.
  bool load(std::uint64_t id, PageRef& out) const {
    if (id < kFirstDataPage || id >= page_limit) [[unlikely]]
      return false;
    const char* p = base + id * page_size;
    prefetch(p);
    const std::uint64_t overflow = load_le<std::uint32_t>(p + 12);
    if (load_le<std::uint64_t>(p) != id || overflow >= page_limit - id) [[unlikely]]
      return false;
    return out.read_header(p, (overflow + 1) * page_size);
  }
  /// Has header and first elements of a page come into the cache. A hint only.
  static void prefetch(const char* page) {
    for (int line = 1; line < 8; ++line) __builtin_prefetch(page + 64 * line);
  }
  void prefetch(std::uint64_t id) const {
    if (id >= page_limit) return;
    __builtin_prefetch(base + id * page_size);
    prefetch(base + id * page_size);
  }
  /// The inline page in the value of a bucket element. False on a lie.
  static bool load_inline(ByteView value, PageRef& out) {
    if (value.size() < kBucketHeaderBytes) return false;
    return out.read_header(value.data() + kBucketHeaderBytes, value.size() - kBucketHeaderBytes) &&
           out.leaf;
  }

  /// kCorruption saying why load(id) failed.
  Error explain(std::uint64_t id) const;
  /// kCorruption for element `i` of a page, whose key or value leaves the page.
  Error explain_element(const PageRef& page, std::uint32_t i) const;
  /// kCorruption at a place in the mapping: `bolt FILE: page 7 at offset 28672: WHAT`.
  Error corrupt(const char* at, const std::string& what) const;
  /// The place alone: `page 7 at offset 28672`.
  std::string where(const char* at) const;
};

}  // namespace truss::bolt
