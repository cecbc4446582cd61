#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "cluster_inquiry.h"
#include "data_dir.h"
#include "truss/snap/v2_store.h"
#include "truss/wal/wal.h"

namespace truss::server {

/// A data directory opened for good: its log locked and read, nothing else started yet.
struct Opened {
  DataDir dir;
  CompatLevel level = kDefaultLevel;
  raft::NodeId self{};
  ClusterId cluster{};
  std::unique_ptr<wal::Wal> wal{};
  raft::HardState hard_state{};
  std::optional<raft::Snapshot> snapshot{};  ///< the log was read from here on
  snap::V2Membership membership{};           ///< as of the snapshot
  std::vector<raft::Entry> entries{};        ///< after the snapshot; some may not be committed
  bool fresh = false;                        ///< the directory is new
  std::vector<Member> fetched{};  ///< of the cluster that is joined; none of them in the log yet
};

/// Opens an existing data directory, or makes one for a new member. A new cluster is founded in it
/// (every initial member writes the same first entries, one AddNode a member, term 1, all
/// committed), or, when joining, an empty log of the cluster's id, which its leader then fills.
/// Errors: one line saying what and where; nothing was changed then, unless making a new directory
/// itself failed. Durability: directory, log and first entries are on disk.
Result<Opened> open_data_dir(const Config& config, ClusterInquiry& inquiry, FileSystem& files,
                             Process& process, Logger& logger, Executor& allocator);

/// The members of a new cluster, ascending by id, from the names and URLs configured.
/// Errors: kInvalidArgument if this member isn't among them, URLs repeat, or those of this member
/// aren't the ones it advertises.
Result<std::vector<Member>> initial_members(const Config& config, ClusterInquiry& inquiry);
/// The entries that found it.
std::vector<raft::Entry> founding_entries(const std::vector<Member>& members);

}  // namespace truss::server
