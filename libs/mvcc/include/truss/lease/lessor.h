#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "truss/common/clock.h"
#include "truss/common/error.h"
#include "truss/common/executor.h"
#include "truss/mvcc/backend.h"
#include "truss/mvcc/store.h"

namespace truss::lease {

using mvcc::kNoLease;
using mvcc::LeaseId;

/// Largest TTL, seconds.
inline constexpr std::int64_t kMaxTtl = 9'000'000'000;
/// How often the leader's loop should call take_expired and due_checkpoints.
inline constexpr Duration kTick = std::chrono::milliseconds(500);
/// Most leases a tick hands out for revocation.
inline constexpr std::size_t kExpiredPerTick = 500;
/// Most checkpoints of one raft entry.
inline constexpr std::size_t kCheckpointBatch = 1000;

struct LessorOptions {
  std::int64_t min_ttl = 2;  ///< seconds: ceil(1.5 election timeouts)
  Duration checkpoint_interval = std::chrono::minutes(5);
  bool checkpoints = false;          ///< hand out due checkpoints (feature LeaseCheckpoint)
  bool persist_checkpoints = false;  ///< write remaining TTLs to the db
  Duration expired_retry = std::chrono::seconds(3);  ///< hand an unrevoked lease out again after
};

struct LeaseInfo {
  LeaseId id = kNoLease;
  std::int64_t granted_ttl = 0;    ///< seconds
  std::int64_t remaining_ttl = 0;  ///< whole seconds, rounded down; huge on a member not primary
  bool expired = false;
  std::vector<std::string> keys;  ///< sorted
};

struct Renewal {
  std::int64_t ttl = 0;
  /// The lease had a checkpoint: propose one with remaining TTL 0 before answering.
  bool clear_checkpoint = false;
};

struct Checkpoint {
  LeaseId id = kNoLease;
  std::int64_t remaining_ttl = 0;  ///< seconds
};

/// Counts since start, for metrics.
struct LeaseCounters {
  std::uint64_t granted = 0;
  std::uint64_t revoked = 0;
  std::uint64_t renewed = 0;
  DurationCounts::Sample ttls;  ///< of the granted; first bound 1 s, 24 bounds
};

/// The leases. Every member keeps the records (they change through raft only); the primary (the
/// leader) alone counts time and hands out the expired for revocation through raft.
///
/// Thread: apply for grant, revoke, checkpoint, attach, detach, restore; any for the rest.
/// Durability: with the backend's batch of the apply that made the change.
class Lessor final : public mvcc::LeaseLinks {
 public:
  /// References outlive the lessor. Not primary at first.
  Lessor(mvcc::Backend& backend, Clock& clock, LessorOptions options);
  ~Lessor() override;

  /// Reads bucket `lease`, forgetting what it knew. Then Store::set_lease_links attaches the keys.
  /// At start and when the backend went over to another database. Who waits with when_gone() is
  /// told. Errors: kCorruption.
  Result<> restore();

  /// Errors: lease_not_found for id 0, lease_ttl_too_large, lease_exists. Returns the effective
  /// TTL (raised to the minimum).
  Result<std::int64_t> grant(LeaseId id, std::int64_t ttl);
  /// Deletes the lease and its keys, sorted, in one revision of `store`. Errors: lease_not_found.
  Result<> revoke(LeaseId id, mvcc::Store& store);
  /// Starts the lease's time anew. Errors: lease_not_found; not_primary_lessor; kAborted if it has
  /// expired but isn't revoked yet: wait with when_gone, then answer as for lease_not_found.
  Result<Renewal> renew(LeaseId id);
  /// Runs `task` on the thread that revokes the lease or demotes the lessor; at once if neither is
  /// to come. `task` must only post.
  void when_gone(LeaseId id, Task task);
  /// Sets the remaining TTL, seconds. Errors: lease_not_found.
  Result<> checkpoint(const Checkpoint& checkpoint);

  /// Becomes primary: every lease gets its full (or checkpointed) time and `extend`; more than 750
  /// a second are spread out.
  void promote(Duration extend);
  void demote();
  bool is_primary() const;

  /// Leases whose time is up, at most `limit`; each comes again after expired_retry if still there.
  /// Empty unless primary.
  std::vector<LeaseId> take_expired(std::size_t limit = kExpiredPerTick);
  /// Checkpoints that are due, at most `limit`. Empty unless primary and enabled.
  std::vector<Checkpoint> due_checkpoints(std::size_t limit = kCheckpointBatch);

  /// Errors: lease_not_found.
  Result<LeaseInfo> time_to_live(LeaseId id, bool with_keys) const;
  /// By expiry, soonest first.
  std::vector<LeaseId> leases() const;
  LeaseCounters counters() const;

  bool contains(LeaseId lease) const override;
  LeaseId lease_of(ByteView key) const override;
  void attach(LeaseId lease, ByteView key) override;
  void detach(LeaseId lease, ByteView key) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace truss::lease
