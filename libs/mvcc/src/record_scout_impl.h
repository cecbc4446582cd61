#pragma once

#include <absl/container/btree_set.h>

#include <vector>

#include "key_index.h"
#include "truss/bolt/bolt.h"
#include "truss/mvcc/record_scout.h"

namespace truss::mvcc {

/// What the key index has to know of a record.
struct RecordFacts {
  Revision revision;
  bool tombstone = false;
  ByteView key;  ///< empty: a record without a key
  std::int64_t created = 0;
  std::int64_t version = 0;
  std::int64_t lease = 0;
};

/// Of a pair of bucket `key`. Errors: kCorruption.
Result<RecordFacts> read_facts(ByteView key, ByteView value);

struct RecordScout::Impl final : bolt::KnownLeaves {
  explicit Impl(std::size_t most) : most_bytes(most) {}
  ~Impl() override;

  /// The entry of a key, made if there is none.
  KeyEntry* entry_of(ByteView key);
  /// All entries that have a history by now, sorted; the rest is dropped. Once.
  std::vector<KeyEntry::Ptr> take_entries();

  /// Calls visit(entry, facts), a Result<>, for each record of the page in order; the entry is null
  /// for a record without a key. False if the page isn't known.
  template <class Visit>
  Result<bool> visit(std::uint64_t page, Visit&& visit) const {
    if (pages(page) == 0) return false;
    const Page& at = pages_[page];
    for (std::uint32_t i = 0; i < at.count; ++i) {
      const Note& n = notes[at.block][at.first + i];
      TRUSS_TRY(visit(n.entry, RecordFacts{{n.main, n.sub},
                                           n.tombstone,
                                           n.entry ? n.entry->key() : ByteView(),
                                           n.created,
                                           n.version,
                                           n.lease}));
    }
    return true;
  }

  std::uint64_t pages(std::uint64_t id) const override {
    return id < pages_.size() ? pages_[id].size : 0;
  }

  std::vector<Range> take(std::uint64_t offset, ByteView bytes);
  /// Returns the bytes of the page at the head of `rest`, overflow included; 0 if it wasn't noted.
  std::uint64_t note_page(std::uint64_t id, ByteView rest);
  bool note_pair(ByteView key, ByteView value);

  struct Note {
    KeyEntry* entry;
    std::int64_t main;
    std::int64_t created;
    std::int64_t version;
    std::int64_t lease;
    std::uint32_t sub;
    bool tombstone;
  };
  struct Page {
    std::uint32_t block = 0;  ///< of `notes`
    std::uint32_t first = 0;  ///< in it
    std::uint32_t count = 0;  ///< of records; 0: not known
    std::uint32_t size = 0;   ///< in pages, overflow pages included
  };
  struct Less {
    using is_transparent = void;
    static ByteView key_of(const KeyEntry* entry) { return entry->key(); }
    static ByteView key_of(ByteView key) { return key; }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return key_of(a) < key_of(b);
    }
  };

  const std::size_t most_bytes;
  std::uint64_t page_size = 0;           ///< 0: the head of the file told none
  std::vector<Page> pages_;              ///< by page number
  std::vector<std::vector<Note>> notes;  ///< one for each take()
  absl::btree_set<KeyEntry*, Less> entries;
  std::size_t bytes_noted = 0;
};

}  // namespace truss::mvcc
