#include "truss/mvcc/record_scout.h"

#include <algorithm>

#include "record_scout_impl.h"
#include "truss/bolt/meta.h"
#include "truss/bolt/page.h"
#include "truss/schema/key_value.h"
#include "truss/schema/revision.h"

namespace truss::mvcc {
namespace {

/// What lies further apart is fetched apart.
constexpr std::uint64_t kNear = 32u << 10;

void add(std::vector<RecordScout::Range>& ranges, std::uint64_t offset, std::uint64_t length) {
  if (!ranges.empty() && offset - (ranges.back().offset + ranges.back().length) <= kNear) {
    ranges.back().length = offset + length - ranges.back().offset;
  } else {
    ranges.push_back({offset, length});
  }
}

}  // namespace

RecordScout::RecordScout(std::size_t most_bytes) : impl_(std::make_unique<Impl>(most_bytes)) {}
RecordScout::~RecordScout() = default;

std::vector<RecordScout::Range> RecordScout::take(std::uint64_t offset, ByteView bytes) {
  return impl_->take(offset, bytes);
}

std::size_t RecordScout::size() const {
  std::size_t total = 0;
  for (const auto& block : impl_->notes) total += block.size();
  return total;
}

Result<RecordFacts> read_facts(ByteView key, ByteView value) {
  TRUSS_ASSIGN(const auto decoded, schema::decode_revision(key));
  if (decoded.revision.sub > UINT32_MAX)
    return fail(Code::kCorruption, "sub revision out of range: " + to_hex(key));
  TRUSS_ASSIGN(const auto kv, schema::decode_key_value(value));
  return RecordFacts{decoded.revision,   decoded.tombstone, kv.key,
                     kv.create_revision, kv.version,        kv.lease};
}

RecordScout::Impl::~Impl() {
  for (KeyEntry* entry : entries) KeyEntry::Deleter()(entry);
}

KeyEntry* RecordScout::Impl::entry_of(ByteView key) {
  const auto at = !entries.empty() && (*entries.rbegin())->key() < key ? entries.end()
                                                                       : entries.lower_bound(key);
  if (at != entries.end() && (*at)->key() == key) return *at;
  KeyEntry* entry = KeyEntry::make(key).release();
  bytes_noted += sizeof(KeyEntry) + key.size();
  entries.insert(at, entry);
  return entry;
}

std::vector<KeyEntry::Ptr> RecordScout::Impl::take_entries() {
  std::vector<KeyEntry::Ptr> out;
  out.reserve(entries.size());
  for (KeyEntry* entry : entries) {
    KeyEntry::Ptr owned(entry);
    if (!owned->empty()) out.push_back(std::move(owned));
  }
  entries.clear();
  return out;
}

std::vector<RecordScout::Range> RecordScout::Impl::take(std::uint64_t offset, ByteView bytes) {
  if (offset == 0) {
    const auto meta = bolt::choose_meta(bytes, "received");
    page_size = meta ? meta->meta.page_size : 0;
  }
  if (page_size == 0 || offset % page_size != 0) return {{offset, bytes.size()}};
  std::vector<Range> ranges;
  notes.emplace_back();
  std::uint64_t noted_to = 0;  // overflow pages of what was noted
  for (std::uint64_t at = 0; at < bytes.size(); at += page_size) {
    const std::uint64_t size = note_page((offset + at) / page_size, bytes.substr(at));
    noted_to = std::max(noted_to, at + size);
    if (at >= noted_to)
      add(ranges, offset + at, std::min<std::uint64_t>(page_size, bytes.size() - at));
  }
  notes.back().shrink_to_fit();
  return ranges;
}

std::uint64_t RecordScout::Impl::note_page(std::uint64_t id, ByteView rest) {
  if (rest.size() < page_size || bytes_noted > most_bytes) return 0;
  if (load_le<std::uint64_t>(rest.data()) != id) return 0;
  const std::uint64_t size =
      (std::uint64_t{load_le<std::uint32_t>(rest.data() + 12)} + 1) * page_size;
  bolt::PageRef page;
  if (size > rest.size() || !page.read_header(rest.data(), size) || !page.leaf) return 0;
  if (page.count == 0) return 0;
  const std::size_t first = notes.back().size();
  for (std::uint32_t i = 0; i < page.count; ++i) {
    bolt::KeyValue pair;
    if (page.pair(i, pair) && !pair.is_bucket && note_pair(pair.key, pair.value)) continue;
    notes.back().resize(first);
    return 0;
  }
  if (pages_.size() <= id) pages_.resize(id + 1);
  pages_[id] = {static_cast<std::uint32_t>(notes.size() - 1), static_cast<std::uint32_t>(first),
                page.count, static_cast<std::uint32_t>(size / page_size)};
  bytes_noted += page.count * sizeof(Note);
  return size;
}

bool RecordScout::Impl::note_pair(ByteView key, ByteView value) {
  if (key.size() != schema::kRevisionKeyBytes && key.size() != schema::kTombstoneKeyBytes) {
    return false;
  }
  const auto facts = read_facts(key, value);
  if (!facts) return false;
  notes.back().push_back({facts->key.empty() ? nullptr : entry_of(facts->key), facts->revision.main,
                          facts->created, facts->version, facts->lease,
                          static_cast<std::uint32_t>(facts->revision.sub), facts->tombstone});
  return true;
}

}  // namespace truss::mvcc
