#pragma once

#include <absl/functional/any_invocable.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "truss/common/error.h"
#include "truss/raft/types.h"
#include "truss/snap/db_receiver.h"

namespace truss::peer {

/// `GET /version`.
struct Versions {
  std::string server;   ///< `3.4.23`
  std::string cluster;  ///< `3.4.0`; empty: not decided
  /// From level 3.6 on; empty: unknown. nullopt leaves the field out.
  std::optional<std::string> storage;
};

/// `POST /leases/internal`.
struct LeaseTimeToLive {
  std::int64_t id = 0;
  std::int64_t ttl_seconds = 0;
  std::int64_t granted_ttl_seconds = 0;
  std::vector<std::string> keys;
};

/// `GET /members/hashkv`.
struct HashKv {
  std::int64_t current_revision = 0;
  std::uint32_t hash = 0;
  std::int64_t compact_revision = 0;
  std::int64_t hash_revision = 0;  ///< written from level 3.6 on
};

/// What the handlers on the peer port ask of the member behind them.
///
/// Thread: any. Nothing here blocks; a `done` runs once, on any thread, maybe inside the call.
class LocalMember {
 public:
  template <class T>
  using Done = absl::AnyInvocable<void(Result<T>)>;

  virtual ~LocalMember() = default;

  virtual Versions versions() const = 0;
  /// JSON array of the members, ascending by id, as Go writes it, without a newline.
  virtual std::string members_json() const = 0;
  /// True of a member that was removed from the cluster for good. It is told so (410) and exits,
  /// so never answer true of a member that is merely unknown.
  virtual bool is_removed(raft::NodeId id) const = 0;

  /// Renews a lease: answers its TTL in seconds.
  /// Errors: kNotFound (404), kDeadlineExceeded (408: applied too little yet), others 400.
  virtual void renew_lease(std::int64_t id, Done<std::int64_t> done) = 0;
  /// Errors: as renew_lease.
  virtual void lease_time_to_live(std::int64_t id, bool keys, Done<LeaseTimeToLive> done) = 0;
  /// Makes a learner a voter, on the leader or by asking it; answers members_json() afterwards.
  /// Errors: kNotFound (404), kFailedPrecondition (412) with etcd's texts; others 500.
  virtual void promote(raft::NodeId id, Done<std::string> done) = 0;
  /// Errors: kOutOfRange (400) with mvcc's texts; others 500.
  virtual void hash_kv(std::int64_t revision, Done<HashKv> done) = 0;
  /// Whether a downgrade is on, after a linearizable read.
  virtual void downgrade_enabled(Done<bool> done) = 0;

  /// Where the database of a snapshot goes that a leader sends. Thread: one that may block.
  virtual Result<std::unique_ptr<snap::DbReceiver>> receive_db() = 0;
  /// Whether the member can go over to the database of `message`, whole at `path` by now. Errors:
  /// why not; the leader is told so (500), raft never hears of it, and no other is taken for a
  /// while. The file is the member's to remove. By default every database fits.
  virtual void check_snapshot(const raft::Message& message, const std::string& path,
                              Done<void> done) {
    static_cast<void>(message);
    static_cast<void>(path);
    done({});
  }
};

}  // namespace truss::peer
