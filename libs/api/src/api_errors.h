#pragma once

#include "truss/common/error.h"

/// Errors that only the API layer raises, with the exact texts that clients match on.
/// Source: api/v3rpc/rpctypes/error.go.
namespace truss::api::errors {

inline Error make(Code code, const char* text) { return Error{code, text}; }

inline Error empty_key() { return make(Code::kInvalidArgument, "etcdserver: key is not provided"); }
inline Error key_not_found() { return make(Code::kInvalidArgument, "etcdserver: key not found"); }
inline Error value_provided() {
  return make(Code::kInvalidArgument, "etcdserver: value is provided");
}
inline Error lease_provided() {
  return make(Code::kInvalidArgument, "etcdserver: lease is provided");
}
inline Error too_many_ops() {
  return make(Code::kInvalidArgument, "etcdserver: too many operations in txn request");
}
inline Error duplicate_key() {
  return make(Code::kInvalidArgument, "etcdserver: duplicate key given in txn request");
}
inline Error invalid_sort_option() {
  return make(Code::kInvalidArgument, "etcdserver: invalid sort option");
}
inline Error invalid_client_api_version() {
  return make(Code::kInvalidArgument, "etcdserver: invalid client api version");
}
inline Error no_leader() { return make(Code::kUnavailable, "etcdserver: no leader"); }
inline Error watch_canceled() { return make(Code::kCanceled, "etcdserver: watch canceled"); }
inline Error auth_not_enabled() {
  return make(Code::kFailedPrecondition, "etcdserver: authentication is not enabled");
}
inline Error invalid_auth_token() {
  return make(Code::kUnauthenticated, "etcdserver: invalid auth token");
}

}  // namespace truss::api::errors
