#pragma once

#include <vector>

#include "truss/raft/types.h"

namespace truss::server {

/// Takes out acknowledgements of entries that a later one to the same member, of the same term,
/// makes needless: it says all that they said. Everything else keeps its place.
void drop_outdated_acks(std::vector<raft::Message>& messages);

}  // namespace truss::server
