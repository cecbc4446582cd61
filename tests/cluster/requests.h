#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "history.h"
#include "truss/common/bytes.h"

namespace truss::cluster {

/// The gRPC method and the request of an operation.
std::string_view path_of(const Operation& operation);
SharedBytes request_of(const Operation& operation);

/// Fills in what the answer says. Errors: kCorruption, if it doesn't decode.
Result<void> take_answer(ByteView response, Operation& operation);

/// Further requests, for mixtures that are compared by hash and not by history.
SharedBytes put_request(ByteView key, ByteView value, std::int64_t lease = 0);
SharedBytes remove_request(ByteView key, ByteView range_end = {});
SharedBytes lease_grant_request(std::int64_t id, std::int64_t ttl_seconds);
SharedBytes lease_revoke_request(std::int64_t id);
SharedBytes compact_request(std::int64_t revision);
/// If `guard` exists: puts `key` and deletes `guard`; else puts `guard`.
SharedBytes txn_request(ByteView guard, ByteView key, ByteView value);

/// Revision in the header of any response; 0 if there is none.
std::int64_t header_revision(ByteView response);

}  // namespace truss::cluster
