#pragma once

#include <memory>
#include <optional>
#include <vector>

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
};

/// Opens an existing data directory, or founds a new cluster in an empty one: every initial member
/// writes the same first entries, one AddNode a member, term 1, all committed.
/// Errors: one line saying what and where; nothing was changed then, unless making a new directory
/// itself failed. Durability: directory, log and first entries are on disk.
Result<Opened> open_data_dir(const Config& config, FileSystem& files, Process& process,
                             Logger& logger, Executor& allocator);

/// The members of a new cluster, ascending by id, from the names and URLs configured.
/// Errors: kInvalidArgument if this member isn't among them, or URLs repeat or disagree.
Result<std::vector<Member>> initial_members(const Config& config);
/// The entries that found it.
std::vector<raft::Entry> founding_entries(const std::vector<Member>& members);

}  // namespace truss::server
