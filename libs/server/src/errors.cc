#include "truss/server/errors.h"

namespace truss::server::errors {
namespace {

Error make(Code code, std::string_view text) {
  return {code, "etcdserver: " + std::string(text), 0};
}

}  // namespace

Error compacted() { return make(Code::kOutOfRange, "mvcc: required revision has been compacted"); }
Error future_revision() {
  return make(Code::kOutOfRange, "mvcc: required revision is a future revision");
}
Error no_space() { return make(Code::kResourceExhausted, "mvcc: database space exceeded"); }
Error corrupt() { return make(Code::kDataLoss, "corrupt cluster"); }
Error too_many_requests() { return make(Code::kUnknown, "too many requests"); }
Error request_too_large() { return make(Code::kInvalidArgument, "request is too large"); }
Error key_not_found() { return make(Code::kInvalidArgument, "key not found"); }
Error lease_not_found() { return make(Code::kNotFound, "requested lease not found"); }
Error lease_exists() { return make(Code::kFailedPrecondition, "lease already exists"); }
Error lease_ttl_too_large() { return make(Code::kOutOfRange, "too large lease TTL"); }
Error disk_dead() {
  return make(Code::kUnavailable, "the disk of the write-ahead log does not answer");
}
Error no_leader() { return make(Code::kUnavailable, "no leader"); }
Error not_leader() { return make(Code::kFailedPrecondition, "not leader"); }
Error leader_changed() { return make(Code::kUnavailable, "leader changed"); }
Error stopped() { return make(Code::kUnavailable, "server stopped"); }
Error timeout() { return make(Code::kUnavailable, "request timed out"); }
Error timeout_leader_fail() {
  return make(Code::kUnavailable, "request timed out, possibly due to previous leader failure");
}
Error timeout_connection_lost() {
  return make(Code::kUnavailable, "request timed out, possibly due to connection lost");
}
Error timeout_wait_applied() {
  return make(Code::kUnavailable, "request timed out, waiting for the applied index took too long");
}
Error unhealthy() { return make(Code::kUnavailable, "unhealthy cluster"); }
Error member_exists() { return make(Code::kFailedPrecondition, "member ID already exist"); }
Error peer_url_exists() { return make(Code::kFailedPrecondition, "Peer URLs already exists"); }
Error member_not_enough_started() {
  return make(Code::kUnknown, "re-configuration failed due to not enough started members");
}
Error member_bad_urls() { return make(Code::kInvalidArgument, "given member URLs are invalid"); }
Error member_not_found() { return make(Code::kNotFound, "member not found"); }
Error member_not_learner() {
  return make(Code::kFailedPrecondition, "can only promote a learner member");
}
Error learner_not_ready() {
  return make(Code::kFailedPrecondition,
              "can only promote a learner member which is in sync with leader");
}
Error too_many_learners() {
  return make(Code::kFailedPrecondition, "too many learner members in cluster");
}
Error bad_leader_transferee() { return make(Code::kFailedPrecondition, "bad leader transferee"); }
Error downgrade_version_format() {
  return make(Code::kInvalidArgument, "wrong downgrade target version format");
}
Error downgrade_target() {
  return make(Code::kInvalidArgument, "invalid downgrade target version");
}
Error downgrade_no_version() {
  return make(Code::kFailedPrecondition, "cluster version not found during downgrade");
}
Error downgrade_in_process() {
  return make(Code::kFailedPrecondition, "cluster has a downgrade job in progress");
}
Error no_downgrade() { return make(Code::kFailedPrecondition, "no inflight downgrade job"); }
Error not_capable() { return make(Code::kFailedPrecondition, "not capable"); }
Error not_supported_for_learner() {
  return make(Code::kFailedPrecondition, "rpc not supported for learner");
}

}  // namespace truss::server::errors
