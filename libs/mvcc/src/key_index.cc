#include "key_index.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "truss/common/check.h"

namespace truss::mvcc {

KeyEntry::Ptr KeyEntry::make(ByteView key) {
  void* place = ::operator new(sizeof(KeyEntry) + key.size());
  auto* entry = new (place) KeyEntry(static_cast<std::uint32_t>(key.size()));
  if (!key.empty()) std::memcpy(reinterpret_cast<char*>(entry + 1), key.data(), key.size());
  return Ptr(entry);
}

void KeyEntry::Deleter::operator()(KeyEntry* entry) const {
  entry->~KeyEntry();
  ::operator delete(entry);
}

const KeyEntry::Item* KeyEntry::older_at(std::int64_t at) const {
  const auto after = std::upper_bound(items_.begin(), items_.end(), at,
                                      [](std::int64_t rev, const Item& i) { return rev < i.main; });
  return after == items_.begin() ? nullptr : &*(after - 1);
}

bool KeyEntry::has(Revision revision) const {
  const auto it = std::lower_bound(items_.begin(), items_.end(), revision,
                                   [](const Item& i, Revision r) { return i.revision() < r; });
  return it != items_.end() && it->revision() == revision;
}

void KeyEntry::append(Revision revision, bool tombstone) {
  TRUSS_CHECK(items_.empty() || items_.back().revision() < revision);
  items_.push_back({revision.main, static_cast<std::uint32_t>(revision.sub), tombstone});
}

void KeyEntry::put(Revision revision) {
  if (!live()) {
    created_ = revision.main;
    version_ = 0;
  }
  ++version_;
  append(revision, false);
}

void KeyEntry::tombstone(Revision revision) { append(revision, true); }

void KeyEntry::restore(Revision revision, bool tombstone, std::int64_t created,
                       std::int64_t version) {
  append(revision, tombstone);
  created_ = created;
  version_ = version;
}

void KeyEntry::compact(std::int64_t at, bool keep_tombstone_at) {
  const Item* newest = newest_at(at);
  if (!newest) return;
  const bool keep = !newest->tombstone || (keep_tombstone_at && newest->main == at);
  const auto first_kept = items_.begin() + (newest - items_.data()) + (keep ? 0 : 1);
  items_.erase(items_.begin(), first_kept);
  if (items_.size() <= 1) items_.shrink_to_fit();
}

KeyIndex::Put KeyIndex::put(ByteView key, Revision revision) {
  auto it = entries_.lower_bound(key);
  if (it == entries_.end() || (*it)->key() != key) it = entries_.insert(it, KeyEntry::make(key));
  if (!(*it)->live()) ++live_;
  (*it)->put(revision);
  return {(*it)->created(), (*it)->version()};
}

void KeyIndex::tombstone(ByteView key, Revision revision) {
  const auto it = entries_.find(key);
  TRUSS_CHECK(it != entries_.end() && (*it)->live());
  --live_;
  (*it)->tombstone(revision);
}

const KeyEntry* KeyIndex::find(ByteView key) const {
  const auto it = entries_.find(key);
  return it == entries_.end() ? nullptr : it->get();
}

std::optional<std::string> KeyIndex::compact(std::int64_t at, bool keep_tombstone_at, ByteView from,
                                             std::size_t limit) {
  auto it = entries_.lower_bound(from);
  for (; it != entries_.end() && limit > 0; --limit) {
    (*it)->compact(at, keep_tombstone_at);
    it = (*it)->empty() ? entries_.erase(it) : std::next(it);
  }
  if (it == entries_.end()) return std::nullopt;
  return std::string((*it)->key());
}

void KeyIndex::assign(std::vector<KeyEntry::Ptr> sorted) {
  entries_.clear();
  live_ = 0;
  for (KeyEntry::Ptr& entry : sorted) {
    if (entry->live()) ++live_;
    entries_.insert(entries_.end(), std::move(entry));
  }
}

}  // namespace truss::mvcc
