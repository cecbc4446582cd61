#pragma once

#include <memory>

#include "context.h"
#include "method.h"

namespace truss::api {

/// Streams a consistent copy of the database in pieces of 32 KiB, then its SHA-256.
/// Source: maintenanceServer.Snapshot.
std::shared_ptr<net::StreamHandler> open_snapshot_stream(Context& context,
                                                         std::shared_ptr<StreamPort> port);

}  // namespace truss::api
