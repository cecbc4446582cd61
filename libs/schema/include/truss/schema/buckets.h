#pragma once

#include <array>
#include <cstdint>

#include "truss/common/bytes.h"
#include "truss/common/error.h"

namespace truss::bolt {
class Tx;
}

/// What etcd keeps where in its bolt file: buckets, keys and the encodings of their values. Pure
/// functions, bounds-checked, no Protobuf.
namespace truss::schema {

/// Every top-level bucket of an etcd db, in the byte order of their names.
enum class BucketId : std::uint8_t {
  kAlarm,
  kAuth,
  kAuthRoles,
  kAuthUsers,
  kCluster,
  kKey,
  kLease,
  kMembers,
  kMembersRemoved,
  kMeta,
};
inline constexpr std::size_t kBucketCount = 10;

inline constexpr std::array<ByteView, kBucketCount> kBucketNames = {
    "alarm", "auth",  "authRoles", "authUsers",       "cluster",
    "key",   "lease", "members",   "members_removed", "meta"};

constexpr ByteView bucket_name(BucketId id) { return kBucketNames[static_cast<std::size_t>(id)]; }

// Keys of bucket `meta`.
inline constexpr ByteView kConsistentIndexKey = "consistent_index";
inline constexpr ByteView kTermKey = "term";
inline constexpr ByteView kConfStateKey = "confState";
inline constexpr ByteView kScheduledCompactKey = "scheduledCompactRev";
inline constexpr ByteView kFinishedCompactKey = "finishedCompactRev";
inline constexpr ByteView kStorageVersionKey = "storageVersion";
// Keys of bucket `cluster`.
inline constexpr ByteView kClusterVersionKey = "clusterVersion";
inline constexpr ByteView kDowngradeKey = "downgrade";
// Keys of bucket `auth`.
inline constexpr ByteView kAuthEnabledKey = "authEnabled";
inline constexpr ByteView kAuthRevisionKey = "authRevision";

/// Creates the ten buckets that are absent. Errors: those of bolt.
/// Durability: with the commit of `tx`.
Result<> create_buckets(bolt::Tx& tx);

}  // namespace truss::schema
