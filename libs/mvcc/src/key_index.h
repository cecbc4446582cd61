#pragma once

#include <absl/container/btree_set.h>
#include <absl/container/inlined_vector.h>

#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "truss/mvcc/kv.h"

namespace truss::mvcc {

/// The keys of a request: the one key, all keys >= key, or [key, end).
struct KeyRange {
  ByteView key;
  ByteView end;  ///< empty: the one key; a single zero byte: no end

  bool single() const { return end.empty(); }
  bool endless() const { return end.size() == 1 && end[0] == '\0'; }
  bool contains(ByteView k) const {
    if (single()) return k == key;
    return k >= key && before_end(k);
  }
  /// For a k known to be >= key.
  bool before_end(ByteView k) const { return single() ? k == key : endless() || k < end; }
};

/// The history of one key: when it changed, in order, since the last compaction. The key's bytes
/// follow the object in the same allocation.
class KeyEntry {
 public:
  struct Item {
    std::int64_t main;
    std::uint32_t sub;
    bool tombstone;
    Revision revision() const { return {main, sub}; }
  };
  struct Deleter {
    void operator()(KeyEntry* entry) const;
  };
  using Ptr = std::unique_ptr<KeyEntry, Deleter>;
  static Ptr make(ByteView key);

  ByteView key() const { return {reinterpret_cast<const char*>(this + 1), key_size_}; }
  /// The change that is current at `at`; null if none or a deletion.
  const Item* live_at(std::int64_t at) const {
    const Item* item = newest_at(at);
    return item != nullptr && !item->tombstone ? item : nullptr;
  }
  /// The newest change with main <= at, deletions included; null if none.
  const Item* newest_at(std::int64_t at) const {
    if (items_.empty()) return nullptr;
    const Item& newest = items_.back();
    return newest.main <= at ? &newest : older_at(at);
  }
  bool has(Revision revision) const;
  bool live() const { return !items_.empty() && !items_.back().tombstone; }
  bool empty() const { return items_.empty(); }
  std::int64_t created() const { return created_; }
  std::int64_t version() const { return version_; }

  /// Appends; changes come in ascending order.
  void put(Revision revision);
  void tombstone(Revision revision);
  void restore(Revision revision, bool tombstone, std::int64_t created, std::int64_t version);
  /// Drops what a compaction at `at` makes unreachable.
  void compact(std::int64_t at, bool keep_tombstone_at);

 private:
  explicit KeyEntry(std::uint32_t key_size) : key_size_(key_size) {}
  void append(Revision revision, bool tombstone);
  const Item* older_at(std::int64_t at) const;

  absl::InlinedVector<Item, 1> items_;
  std::int64_t created_ = 0;  ///< of the present generation
  std::int64_t version_ = 0;  ///< of the newest put
  std::uint32_t key_size_;
};

/// All keys in byte order, each once, with its history.
/// Thread: guarded by the store's lock.
class KeyIndex {
 public:
  struct Put {
    std::int64_t created;
    std::int64_t version;
  };
  /// Notes a put and returns what its record must say.
  Put put(ByteView key, Revision revision);
  /// Notes a deletion of a live key.
  void tombstone(ByteView key, Revision revision);
  const KeyEntry* find(ByteView key) const;

  /// Calls visit(entry, item) for each key of the range that is live at `at`, in key order.
  template <class Visit>
  void visit(const KeyRange& range, std::int64_t at, Visit&& visit) const {
    auto it = entries_.lower_bound(range.key);
    const auto last = end_of(range, it);
    auto ahead = it;
    for (int n = 0; n < kAhead && ahead != entries_.end(); ++n) prefetch(*ahead++);
    for (; it != last; ++it) {
      if (ahead != entries_.end()) prefetch(*ahead++);
      if (const KeyEntry::Item* item = (*it)->live_at(at)) visit(**it, *item);
    }
  }

  /// Compacts at most `limit` keys from `from` on. Returns the key to go on with, nullopt at the
  /// end.
  std::optional<std::string> compact(std::int64_t at, bool keep_tombstone_at, ByteView from,
                                     std::size_t limit);
  /// Calls visit(entry) for at most `limit` keys from `from` on; returns as compact.
  template <class Visit>
  std::optional<std::string> walk(ByteView from, std::size_t limit, Visit&& visit) const {
    auto it = entries_.lower_bound(from);
    for (; it != entries_.end() && limit > 0; ++it, --limit) visit(**it);
    if (it == entries_.end()) return std::nullopt;
    return std::string((*it)->key());
  }

  /// Takes entries sorted by key, in place of what there was.
  void assign(std::vector<KeyEntry::Ptr> sorted);
  std::size_t size() const { return entries_.size(); }
  /// Those not deleted.
  std::size_t live() const { return live_; }

 private:
  /// Entries lie all over the heap: a walk would wait for memory at each without this.
  static constexpr int kAhead = 6;
  static void prefetch(const KeyEntry::Ptr& entry) {
    const char* at = reinterpret_cast<const char*>(entry.get());
    __builtin_prefetch(at);
    __builtin_prefetch(at + 64);
  }

  struct Less {
    using is_transparent = void;
    static ByteView key_of(const KeyEntry::Ptr& entry) { return entry->key(); }
    static ByteView key_of(ByteView key) { return key; }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return key_of(a) < key_of(b);
    }
  };
  using Entries = absl::btree_set<KeyEntry::Ptr, Less>;
  /// The first entry beyond a range that begins at `first`: looked for once, so that a walk
  /// compares no keys.
  Entries::const_iterator end_of(const KeyRange& range, Entries::const_iterator first) const {
    if (range.endless()) return entries_.end();
    if (range.single()) {
      return first != entries_.end() && (*first)->key() == range.key ? std::next(first) : first;
    }
    return range.end <= range.key ? first : entries_.lower_bound(range.end);
  }

  Entries entries_;
  std::size_t live_ = 0;
};

}  // namespace truss::mvcc
