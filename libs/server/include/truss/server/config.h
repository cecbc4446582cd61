#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "truss/common/clock.h"
#include "truss/server/compat.h"

namespace truss::server {

/// Peer URLs of each member of a new cluster, by name, as given in `--initial-cluster`.
using InitialCluster = std::map<std::string, std::vector<std::string>>;

/// `a=http://h1:2380,b=http://h2:2380,a=…` to names and URLs. The text is not checked further.
/// Returns nullopt where a part has no `=` or an empty name or URL.
std::optional<InitialCluster> parse_initial_cluster(std::string_view text);

enum class AutoCompaction : std::uint8_t { kOff, kPeriodic, kRevision };

/// Promises broken on purpose, so that the crash sweeps can be shown to notice each of them. Set by
/// tests only: no flag, variable or file leads here.
struct Sabotage {
  bool answer_before_sync = false;       ///< deliver log appends before their fdatasync
  bool forget_consistent_index = false;  ///< leave it out of the backend's transactions
};

/// What one member needs to know. Defaults are etcd's.
struct Config {
  std::string name = "default";
  std::string data_dir = "default.etcd";
  std::string wal_dir;  ///< empty: `<data_dir>/member/wal`
  std::vector<std::string> advertise_peer_urls = {"http://localhost:2380"};
  std::vector<std::string> advertise_client_urls = {"http://localhost:2379"};
  InitialCluster initial_cluster;  ///< empty: this member alone, at its advertised peer URLs
  std::string initial_cluster_token = "etcd-cluster";
  bool new_cluster = true;         ///< `--initial-cluster-state`: new, otherwise existing
  bool force_new_cluster = false;  ///< make this member the only one, keeping its data

  /// Release to present; nullopt keeps the directory's level (3.6 for a new directory).
  std::optional<CompatLevel> compat;

  Duration heartbeat_interval = std::chrono::milliseconds(100);  ///< one raft tick
  Duration election_timeout = std::chrono::milliseconds(1000);
  std::optional<bool> pre_vote;  ///< nullopt: off at 3.4, on from 3.5
  bool initial_election_tick_advance = true;

  std::uint64_t snapshot_count = 0;  ///< entries between .snap files; 0: 100000, from 3.6 10000
  std::uint64_t snapshot_catch_up_entries = 5000;  ///< kept in memory for slow followers
  std::uint32_t max_snap_files = 5;                ///< 0: keep all
  std::uint32_t max_wal_files = 5;                 ///< 0: keep all
  std::uint64_t wal_segment_bytes = 64'000'000;
  Duration purge_interval = std::chrono::seconds(30);
  Duration purge_pause = std::chrono::milliseconds(250);  ///< between two segments: 256 MB/s of log

  std::int64_t quota_backend_bytes = 0;  ///< 0: 2 GiB; negative: no quota
  std::uint32_t max_request_bytes = 1536 * 1024;
  std::uint32_t max_txn_ops = 128;

  Duration backend_batch_interval{};      ///< 0: 100 ms
  std::uint32_t backend_batch_limit = 0;  ///< operations; 0: 10000
  bool backend_freelist_map = true;       ///< `--backend-bbolt-freelist-type`: map, otherwise array
  bool backend_map_populate = true;       ///< MAP_POPULATE on the bolt file
  std::uint64_t backend_initial_mmap_bytes = 0;  ///< 0: 10 GiB, or quota and a tenth if larger
  bool unsafe_no_fsync = false;                  ///< Caution: an acknowledged write may be lost

  AutoCompaction auto_compaction = AutoCompaction::kOff;
  std::int64_t auto_compaction_retention = 0;  ///< nanoseconds (periodic) or revisions
  std::uint32_t compaction_batch_limit = 1000;
  Duration compaction_sleep_interval = std::chrono::milliseconds(10);

  bool lease_checkpoint = false;
  bool lease_checkpoint_persist = false;
  bool strict_reconfig_check = true;
  std::uint32_t max_learners = 1;      ///< below level 3.6 at most one
  bool initial_corrupt_check = false;  ///< compare data with the other members before serving
  Duration corrupt_check_time{0};      ///< the leader compares this often; 0: never
  Sabotage sabotage;

  /// Ticks without a leader before a follower stands for election.
  std::uint32_t election_ticks() const {
    return static_cast<std::uint32_t>(election_timeout / heartbeat_interval);
  }
  /// How long a proposal or a linearizable read may take: 5 s and two election time-outs.
  Duration request_timeout() const { return std::chrono::seconds(5) + 2 * election_timeout; }
};

}  // namespace truss::server
