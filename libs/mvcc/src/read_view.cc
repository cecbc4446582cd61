#include <algorithm>
#include <cstring>

#include "backend_impl.h"

namespace truss::mvcc {

ReadView::ReadView(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ReadView::ReadView(ReadView&&) noexcept = default;
ReadView& ReadView::operator=(ReadView&&) noexcept = default;
ReadView::~ReadView() = default;

const StoredRecord* ReadView::Impl::in_memory(Revision revision) const {
  for (auto slice = slices.rbegin(); slice != slices.rend(); ++slice) {
    if (revision < slice->batch->records[0].revision) continue;
    const std::size_t at = slice->lower_bound(revision);
    const bool found = at < slice->size && slice->batch->records[at].revision == revision;
    return found ? &slice->batch->records[at] : nullptr;
  }
  return nullptr;
}

Result<> ReadView::Impl::open_keys() {
  if (keys) return {};
  TRUSS_CHECK(tx.has_value());
  TRUSS_ASSIGN(keys, tx->bucket(schema::bucket_name(schema::BucketId::kKey)));
  if (!keys) return fail(Code::kCorruption, db->path() + ": bucket key is missing");
  return {};
}

Unexpected ReadView::Impl::missing(Revision revision) const {
  return fail(Code::kCorruption, db->path() + ": no record of revision " +
                                     std::to_string(revision.main) + "/" +
                                     std::to_string(revision.sub));
}

namespace {

/// Moves the values that point into the file into one shared block.
void own(std::vector<KeyValue>& kvs, std::size_t from, std::size_t total) {
  const SharedBytes block = SharedBytes::build(total, [&](char* out) {
    for (std::size_t i = from; i < kvs.size(); ++i) {
      if (!kvs[i].owner.empty()) continue;
      if (!kvs[i].record.empty()) {
        std::memcpy(out, kvs[i].record.data(), kvs[i].record.size());
      }
      out += kvs[i].record.size();
    }
  });
  std::size_t offset = 0;
  for (std::size_t i = from; i < kvs.size(); ++i) {
    if (!kvs[i].owner.empty()) continue;
    kvs[i].record = block.view().substr(offset, kvs[i].record.size());
    kvs[i].owner = block;
    offset += kvs[i].record.size();
  }
}

/// Finds the values of ascending revisions with one cursor: a step to the next record is far
/// cheaper than a search from the root, and keys written together are read together.
class BoltLookup {
 public:
  explicit BoltLookup(const bolt::Bucket& keys) : cursor_(keys.cursor()) {}

  /// Nullopt if there is no such record.
  Result<std::optional<ByteView>> find(Revision revision) {
    const RevisionKey key(revision);
    for (int steps = 0; pair_ && pair_->key < key.view() && steps < kMaxSteps; ++steps) {
      TRUSS_ASSIGN(pair_, cursor_.next());
    }
    if (!pair_ || pair_->key < key.view()) {
      TRUSS_ASSIGN(pair_, cursor_.seek(key.view()));
    }
    if (!pair_ || pair_->key != key.view()) return std::nullopt;
    return pair_->value;
  }

 private:
  static constexpr int kMaxSteps = 4;
  bolt::Cursor cursor_;
  std::optional<bolt::KeyValue> pair_;
};

}  // namespace

/// Fills the records at `places` (indexes into both) from the file.
Result<std::size_t> ReadView::Impl::fetch_bolt(std::span<const Revision> revisions,
                                               std::span<KeyValue> out,
                                               std::vector<std::size_t>& places) {
  TRUSS_TRY(open_keys());
  std::sort(places.begin(), places.end(),
            [&](std::size_t a, std::size_t b) { return revisions[a] < revisions[b]; });
  BoltLookup lookup(*keys);
  std::size_t total = 0;
  for (const std::size_t place : places) {
    TRUSS_ASSIGN(const auto value, lookup.find(revisions[place]));
    if (!value) return missing(revisions[place]);
    out[place].record = *value;
    total += value->size();
  }
  return total;
}

Result<> ReadView::fetch(std::span<const Revision> revisions, std::vector<KeyValue>& out) {
  const std::size_t from = out.size();
  out.resize(from + revisions.size());
  std::vector<std::size_t> in_file;
  for (std::size_t i = 0; i < revisions.size(); ++i) {
    if (const StoredRecord* record = impl_->in_memory(revisions[i])) {
      out[from + i].owner = record->bytes;
      out[from + i].record = record->bytes.view();
    } else {
      in_file.push_back(i);
    }
  }
  if (!in_file.empty()) {
    TRUSS_ASSIGN(const std::size_t total,
                 impl_->fetch_bolt(revisions, std::span(out).subspan(from), in_file));
    own(out, from, total);
  }
  for (std::size_t i = from; i < out.size(); ++i) {
    TRUSS_ASSIGN(out[i].kv, schema::decode_key_value(out[i].record));
  }
  return {};
}

Result<bool> ReadView::Impl::scan_bolt(Revision& next, Revision last, const Visitor& visit) {
  TRUSS_TRY(open_keys());
  auto cursor = keys->cursor();
  TRUSS_ASSIGN(auto pair, cursor.seek(RevisionKey(next).view()));
  while (pair) {
    TRUSS_ASSIGN(const auto decoded, schema::decode_revision(pair->key));
    if (decoded.revision >= last) break;
    next = {decoded.revision.main, decoded.revision.sub + 1};
    TRUSS_ASSIGN(const bool go_on, visit({decoded.revision, decoded.tombstone, pair->key,
                                          pair->value, SharedBytes()}));
    if (!go_on) return false;
    TRUSS_ASSIGN(pair, cursor.next());
  }
  return true;
}

Result<bool> ReadView::Impl::scan_memory(Revision& next, Revision last, const Visitor& visit) {
  for (const BatchSlice& slice : slices) {
    for (std::size_t i = slice.lower_bound(next); i < slice.size; ++i) {
      const StoredRecord& record = slice.batch->records[i];
      if (record.revision >= last) return true;
      next = {record.revision.main, record.revision.sub + 1};
      const RevisionKey key(record.revision, record.tombstone);
      TRUSS_ASSIGN(const bool go_on, visit({record.revision, record.tombstone, key.view(),
                                            record.bytes.view(), record.bytes}));
      if (!go_on) return false;
    }
  }
  return true;
}

Result<> ReadView::read_leaves(bolt::LeafReader& reader) {
  TRUSS_TRY(impl_->open_keys());
  return impl_->keys->read_leaves(reader);
}

Result<> ReadView::scan(Revision first, Revision last, const Visitor& visit) {
  bool go_on = true;
  if (impl_->tx) {
    TRUSS_ASSIGN(go_on, impl_->scan_bolt(first, last, visit));
  }
  if (go_on) TRUSS_TRY(impl_->scan_memory(first, last, visit));
  return {};
}

}  // namespace truss::mvcc
