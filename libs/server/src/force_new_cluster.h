#pragma once

#include "bootstrap.h"

namespace truss::server {

/// Makes this member the only one of its cluster, keeping its data: drops entries above the commit
/// index, appends AddNode(self) if it was no member and RemoveNode for every other one, and takes
/// them for committed. Source: etcdserver.createConfigChangeEnts.
/// Errors: kCorruption for an undecodable membership entry. Durability: the entries are on disk.
Result<> force_new_cluster(Opened& opened, Logger& logger);

}  // namespace truss::server
