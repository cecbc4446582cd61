#include "truss/schema/meta.h"

#include "bucket_scan.h"
#include "truss/schema/revision.h"

namespace truss::schema {
namespace {

Result<> read_meta_entry(ByteView key, ByteView value, Meta& meta) {
  if (key == kConsistentIndexKey) {
    TRUSS_ASSIGN(meta.consistent_index, decode_u64(value));
  } else if (key == kTermKey) {
    TRUSS_ASSIGN(meta.term, decode_u64(value));
  } else if (key == kConfStateKey) {
    TRUSS_ASSIGN(meta.conf_state, decode_conf_state(value));
  } else if (key == kStorageVersionKey) {
    meta.storage_version = std::string(value);
  }
  if (key == kScheduledCompactKey) {
    TRUSS_ASSIGN(const auto decoded, decode_revision(value));
    meta.scheduled_compact = decoded.revision.main;
  }
  if (key == kFinishedCompactKey) {
    TRUSS_ASSIGN(const auto decoded, decode_revision(value));
    meta.finished_compact = decoded.revision.main;
  }
  return {};
}

}  // namespace

Result<Meta> read_meta(bolt::Tx& tx) {
  Meta meta;
  TRUSS_TRY(scan_bucket(tx, BucketId::kMeta, [&](ByteView key, ByteView value) {
    return read_meta_entry(key, value, meta);
  }));
  return meta;
}

Result<std::vector<Alarm>> read_alarms(bolt::Tx& tx) {
  std::vector<Alarm> out;
  TRUSS_TRY(scan_bucket(tx, BucketId::kAlarm, [&](ByteView key, ByteView) -> Result<> {
    TRUSS_ASSIGN(const Alarm alarm, decode_alarm(key));
    out.push_back(alarm);
    return {};
  }));
  return out;
}

Result<std::vector<LeaseRecord>> read_leases(bolt::Tx& tx) {
  std::vector<LeaseRecord> out;
  TRUSS_TRY(scan_bucket(tx, BucketId::kLease, [&](ByteView, ByteView value) -> Result<> {
    TRUSS_ASSIGN(const LeaseRecord lease, decode_lease(value));
    out.push_back(lease);
    return {};
  }));
  return out;
}

Result<bool> read_auth_enabled(bolt::Tx& tx) {
  bool enabled = false;
  TRUSS_TRY(scan_bucket(tx, BucketId::kAuth, [&](ByteView key, ByteView value) -> Result<> {
    if (key == kAuthEnabledKey) enabled = value == ByteView("\x01", 1);
    return {};
  }));
  return enabled;
}

}  // namespace truss::schema
