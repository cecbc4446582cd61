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

Result<ByteView> ReadView::Impl::in_bolt(Revision revision) {
  TRUSS_TRY(open_keys());
  TRUSS_ASSIGN(const auto value, keys->get(RevisionKey(revision).view()));
  if (!value)
    return fail(Code::kCorruption, db->path() + ": no record of revision " +
                                       std::to_string(revision.main) + "/" +
                                       std::to_string(revision.sub));
  return *value;
}

namespace {

/// Moves the values that point into the file into one shared block.
void own(std::vector<KeyValue>& kvs, std::size_t from, std::size_t total) {
  const SharedBytes block = SharedBytes::build(total, [&](char* out) {
    for (std::size_t i = from; i < kvs.size(); ++i) {
      if (!kvs[i].owner.empty()) continue;
      std::memcpy(out, kvs[i].record.data(), kvs[i].record.size());
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

}  // namespace

Result<> ReadView::fetch(std::span<const Revision> revisions, std::vector<KeyValue>& out) {
  const std::size_t from = out.size();
  std::size_t in_file = 0;
  out.reserve(from + revisions.size());
  for (const Revision revision : revisions) {
    KeyValue& kv = out.emplace_back();
    if (const StoredRecord* record = impl_->in_memory(revision)) {
      kv.owner = record->bytes;
      kv.record = kv.owner.view();
    } else {
      TRUSS_ASSIGN(kv.record, impl_->in_bolt(revision));
      in_file += kv.record.size();
    }
  }
  if (in_file > 0) own(out, from, in_file);
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

Result<> ReadView::scan(Revision first, Revision last, const Visitor& visit) {
  bool go_on = true;
  if (impl_->tx) {
    TRUSS_ASSIGN(go_on, impl_->scan_bolt(first, last, visit));
  }
  if (go_on) TRUSS_TRY(impl_->scan_memory(first, last, visit));
  return {};
}

}  // namespace truss::mvcc
