#pragma once

#include "bootstrap.h"

namespace truss::server {

/// Makes this member the only one of its cluster, keeping its data: drops entries above the commit
/// index, appends AddNode(self) if it was no member or a learner and RemoveNode for every other
/// one, and takes them for committed. Source: etcdserver.createConfigChangeEnts; what becomes of a
/// learner is our own thought: alone it could never lead.
/// A follower may have heard that an entry is committed and not have it on disk yet; the db's next
/// commit, a batch interval later at most, puts it there. Only the commit index in `opened` counts,
/// which open_data_dir() has raised to what the db has applied: the new entries must not take
/// indexes that it would skip.
/// Errors: kCorruption for an undecodable membership entry. Durability: the entries are on disk,
/// and that they are committed.
Result<> force_new_cluster(Opened& opened, Logger& logger);

}  // namespace truss::server
