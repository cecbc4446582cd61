#include "truss/snaptool/key_source.h"

#include <algorithm>

#include "key_window.h"
#include "revision_of.h"
#include "truss/schema/buckets.h"
#include "truss/snaptool/records.h"

namespace truss::snaptool {
namespace {

class FileKeys final : public KeySource {
 public:
  FileKeys(DbFile& file, bolt::Bucket keys, KeyRange range, std::int64_t revision,
           std::uint64_t budget_bytes)
      : file_(file),
        keys_(std::move(keys)),
        window_(std::move(range), budget_bytes),
        revision_(revision),
        memory_(file.tx()) {}

  Result<> fill() {
    TRUSS_TRY(for_each_record(file_.tx(), {}, [&](const Record& r) -> Result<bool> {
      if (r.revision.main > revision_) return false;
      if (r.value.empty()) return true;
      TRUSS_ASSIGN(const auto kv, decode(r));
      if (!window_.contains(kv.key)) return true;
      r.tombstone ? window_.erase(kv.key) : window_.set(kv.key, r.revision);
      return true;
    }));
    at_ = window_.map().begin();
    return {};
  }

  Result<std::optional<schema::KeyValueView>> next() override {
    while (at_ == window_.map().end()) {
      if (!window_.advance()) {
        at_ = window_.map().end();
        return std::nullopt;
      }
      TRUSS_TRY(fill());
    }
    TRUSS_ASSIGN(const auto kv, record_at(keys_, at_->second));
    memory_.jumped(kv.key.size() + kv.value.size());
    ++at_;
    return kv;
  }
  std::int64_t revision() const override { return revision_; }

 private:
  DbFile& file_;
  bolt::Bucket keys_;
  KeyWindow<schema::Revision> window_;
  std::int64_t revision_;
  KeyWindow<schema::Revision>::Map::const_iterator at_;
  MemorySparer memory_;
};

class LiveKeys final : public KeySource {
 public:
  LiveKeys(client::Client& member, KeyRange range, std::int64_t revision)
      : member_(member), range_(std::move(range)), revision_(revision) {}

  Result<> fetch() {
    // etcd: an end of one zero byte is beyond the last key; a first key is never empty.
    const std::string first = range_.first.empty() ? std::string(1, '\0') : range_.first;
    const std::string end = range_.end.empty() ? std::string(1, '\0') : range_.end;
    TRUSS_ASSIGN(page_, member_.range(first, end, limit_, revision_));
    at_ = 0;
    fit_limit();
    if (revision_ == 0) revision_ = page_.header.revision;
    if (!page_.kvs.empty()) range_.first = page_.kvs.back().key + '\0';
    return {};
  }

  Result<std::optional<schema::KeyValueView>> next() override {
    if (at_ == page_.kvs.size()) {
      if (!page_.more) return std::nullopt;
      TRUSS_TRY(fetch());
      if (page_.kvs.empty()) return std::nullopt;
    }
    const client::KeyValue& kv = page_.kvs[at_++];
    return schema::KeyValueView{kv.key,     kv.create_revision, kv.mod_revision,
                                kv.version, kv.value,           kv.lease};
  }
  std::int64_t revision() const override { return revision_; }

 private:
  /// Pages of a few MB, whatever the values' size.
  void fit_limit() {
    std::uint64_t bytes = 0;
    for (const client::KeyValue& kv : page_.kvs) bytes += kv.key.size() + kv.value.size();
    if (bytes > 8u << 20) limit_ = std::max<std::int64_t>(1, limit_ / 4);
    if (bytes < 1u << 20) limit_ = std::min<std::int64_t>(4096, limit_ * 2);
  }

  client::Client& member_;
  KeyRange range_;
  std::int64_t revision_;
  std::int64_t limit_ = 64;
  client::RangeResult page_;
  std::size_t at_ = 0;
};

}  // namespace

KeyRange prefix_range(const std::string& prefix) {
  std::string end = prefix;
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(end.back() + 1);
  return {prefix, end};
}

KeyRange single_key(const std::string& key) { return {key, key + '\0'}; }

Result<std::int64_t> revision_of(bolt::Tx& tx, std::int64_t wanted) {
  TRUSS_ASSIGN(const Revisions revisions, read_revisions(tx));
  if (wanted == 0) return revisions.current;
  if (wanted > revisions.current) {
    return fail(Code::kOutOfRange, "revision " + std::to_string(wanted) +
                                       " is a future revision: the newest is " +
                                       std::to_string(revisions.current));
  }
  if (wanted >= revisions.compact) return wanted;
  return fail(Code::kOutOfRange, "revision " + std::to_string(wanted) +
                                     " has been compacted: the oldest is " +
                                     std::to_string(revisions.compact));
}

Result<bolt::Bucket> key_bucket(DbFile& file) {
  TRUSS_ASSIGN(auto bucket, file.tx().bucket(schema::bucket_name(schema::BucketId::kKey)));
  if (bucket) return std::move(*bucket);
  return fail(Code::kFailedPrecondition, file.path() + ": not a db of etcd: it has no bucket key");
}

Result<std::unique_ptr<KeySource>> file_keys(DbFile& file, KeyRange range, std::int64_t revision,
                                             std::uint64_t budget_bytes) {
  TRUSS_ASSIGN(bolt::Bucket keys, key_bucket(file));
  TRUSS_ASSIGN(const std::int64_t at, revision_of(file.tx(), revision));
  auto out = std::make_unique<FileKeys>(file, std::move(keys), std::move(range), at, budget_bytes);
  TRUSS_TRY(out->fill());
  return out;
}

Result<std::unique_ptr<KeySource>> live_keys(client::Client& member, KeyRange range,
                                             std::int64_t revision) {
  auto out = std::make_unique<LiveKeys>(member, std::move(range), revision);
  TRUSS_TRY(out->fetch());
  return out;
}

}  // namespace truss::snaptool
