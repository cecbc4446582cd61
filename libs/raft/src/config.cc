#include "truss/raft/config.h"

#include <string>

namespace truss::raft {

namespace {

Unexpected bad(std::string what) {
  return fail(Code::kInvalidArgument, "raft config: " + std::move(what));
}

}  // namespace

Result<> validate(const Config& config) {
  if (config.id == kNoNode) return bad("id must not be 0");
  if (is_storage_thread(config.id)) {
    return bad("id " + std::to_string(config.id.value()) + " belongs to a storage thread");
  }
  if (config.heartbeat_tick == 0) return bad("heartbeat_tick must be greater than 0");
  if (config.election_tick <= config.heartbeat_tick) {
    return bad("election_tick " + std::to_string(config.election_tick) +
               " must be greater than heartbeat_tick " + std::to_string(config.heartbeat_tick));
  }
  if (config.max_inflight_messages == 0) return bad("max_inflight_messages must be greater than 0");
  if (config.max_inflight_bytes != 0 && config.max_inflight_bytes < config.max_size_per_message) {
    return bad("max_inflight_bytes must be at least max_size_per_message");
  }
  if (config.read_mode == ReadMode::kLease && !config.check_quorum) {
    return bad("read_mode kLease needs check_quorum");
  }
  return {};
}

}  // namespace truss::raft
