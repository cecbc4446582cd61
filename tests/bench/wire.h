#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "truss/common/bytes.h"

namespace truss::bench {

/// Requests of the v3 API written by hand: the generator must cost less than what it measures.
SharedBytes put_request(ByteView key, ByteView value);
/// `limit` 0: none; `range_end` empty: one key.
SharedBytes range_request(ByteView key, ByteView range_end, std::int64_t limit, bool serializable);
/// Four puts, keys `key` with a last digit of 0 to 3, no compare.
SharedBytes txn_request(ByteView key, ByteView value);
/// One put of each key, no compare.
SharedBytes puts_request(const std::vector<std::string>& keys, ByteView value);
SharedBytes member_add_request(ByteView peer_url);
SharedBytes watch_create_request(ByteView key);
SharedBytes lease_grant_request(std::int64_t ttl_seconds);

/// What a WatchResponse holds for us.
struct WatchSummary {
  std::uint64_t events = 0;
  bool created = false;
  std::string last_value;  ///< of the last event
};
WatchSummary parse_watch_response(ByteView message);

}  // namespace truss::bench
