#include "summary.h"

#include <algorithm>

#include "census.h"
#include "truss/schema/buckets.h"
#include "truss/schema/records.h"
#include "truss/schema/revision.h"

namespace truss::bolttool {
namespace {

/// The bucket, or nullopt if it isn't there.
Result<std::optional<FoundBucket>> optional_bucket(const Image& image, const char* name) {
  auto found = find_bucket(image, {name});
  if (found) return *found;
  if (found.error().code == Code::kNotFound) return std::nullopt;
  return tl::unexpected(std::move(found).error());
}

Result<std::optional<bolt::KeyValue>> last_pair(const Image& image, const FoundBucket& bucket) {
  std::optional<bolt::KeyValue> last;
  TRUSS_TRY(for_each_pair(image, bucket, true, [&](const bolt::KeyValue& kv) {
    last = kv;
    return false;
  }));
  return last;
}

Result<std::vector<std::string>> keys_of(const Image& image, const char* name) {
  std::vector<std::string> out;
  TRUSS_ASSIGN(const auto bucket, optional_bucket(image, name));
  if (!bucket) return out;
  TRUSS_TRY(for_each_pair(image, *bucket, false, [&](const bolt::KeyValue& kv) {
    out.emplace_back(kv.key);
    return true;
  }));
  return out;
}

Result<> read_meta_bucket(const Image& image, const FoundBucket& meta, EtcdSummary& out) {
  const auto value = [&](ByteView key) -> Result<std::optional<ByteView>> {
    TRUSS_ASSIGN(const auto kv, find_pair(image, meta, key));
    if (!kv) return std::nullopt;
    return kv->value;
  };
  TRUSS_ASSIGN(const auto index, value(schema::kConsistentIndexKey));
  if (index) {
    TRUSS_ASSIGN(out.consistent_index, schema::decode_u64(*index));
  }
  TRUSS_ASSIGN(const auto term, value(schema::kTermKey));
  if (term) {
    TRUSS_ASSIGN(out.term, schema::decode_u64(*term));
  }
  TRUSS_ASSIGN(const auto version, value(schema::kStorageVersionKey));
  if (version) out.storage_version = std::string(*version);
  for (const bool scheduled : {true, false}) {
    TRUSS_ASSIGN(const auto bytes,
                 value(scheduled ? schema::kScheduledCompactKey : schema::kFinishedCompactKey));
    if (!bytes) continue;
    TRUSS_ASSIGN(const auto revision, schema::decode_revision(*bytes));
    (scheduled ? out.scheduled_compact : out.finished_compact) = revision.revision.main;
  }
  return {};
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ",") + word;
  return out;
}

}  // namespace

Result<std::optional<EtcdSummary>> read_summary(const Image& image) {
  TRUSS_ASSIGN(const auto key, optional_bucket(image, "key"));
  TRUSS_ASSIGN(const auto meta, optional_bucket(image, "meta"));
  if (!key || !meta) return std::nullopt;
  EtcdSummary out;
  TRUSS_TRY(read_meta_bucket(image, *meta, out));
  TRUSS_ASSIGN(const auto last, last_pair(image, *key));
  if (last) {
    TRUSS_ASSIGN(const auto revision, schema::decode_revision(last->key));
    out.revision = revision.revision.main;
  }
  out.revision = std::max(out.revision, out.finished_compact.value_or(0));
  TRUSS_ASSIGN(out.members, keys_of(image, "members"));
  TRUSS_ASSIGN(out.removed_members, keys_of(image, "members_removed"));
  TRUSS_ASSIGN(const auto cluster, optional_bucket(image, "cluster"));
  if (cluster) {
    TRUSS_ASSIGN(const auto version, find_pair(image, *cluster, schema::kClusterVersionKey));
    if (version) out.cluster_version = std::string(version->value);
  }
  return out;
}

void add_summary(tool::Record& record, const EtcdSummary& s) {
  record.add("revision", "revision", s.revision);
  if (s.finished_compact) record.add("compacted at", "compactRevision", *s.finished_compact);
  if (s.scheduled_compact && s.scheduled_compact != s.finished_compact) {
    record.add("compaction under way to", "scheduledCompactRevision", *s.scheduled_compact);
  }
  record.add("consistent index", "consistentIndex", s.consistent_index);
  if (s.term) record.add("term", "term", *s.term);
  record.add("cluster version", "clusterVersion", s.cluster_version);
  if (!s.storage_version.empty())
    record.add("storage version", "storageVersion", s.storage_version);
  record.add("members", "members", joined(s.members));
  record.add("removed members", "removedMembers", joined(s.removed_members));
}

}  // namespace truss::bolttool
