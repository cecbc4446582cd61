#include "truss/mvcc/errors.h"

namespace truss::mvcc::errors {

Error compacted() {
  return {Code::kOutOfRange, "etcdserver: mvcc: required revision has been compacted"};
}
Error future_revision() {
  return {Code::kOutOfRange, "etcdserver: mvcc: required revision is a future revision"};
}
Error key_not_found() { return {Code::kInvalidArgument, "etcdserver: key not found"}; }
Error empty_key() { return {Code::kInvalidArgument, "etcdserver: key is not provided"}; }
Error value_provided() { return {Code::kInvalidArgument, "etcdserver: value is provided"}; }
Error lease_provided() { return {Code::kInvalidArgument, "etcdserver: lease is provided"}; }
Error too_many_ops() {
  return {Code::kInvalidArgument, "etcdserver: too many operations in txn request"};
}
Error duplicate_key() {
  return {Code::kInvalidArgument, "etcdserver: duplicate key given in txn request"};
}
Error invalid_sort_option() { return {Code::kInvalidArgument, "etcdserver: invalid sort option"}; }
Error lease_not_found() { return {Code::kNotFound, "etcdserver: requested lease not found"}; }
Error lease_exists() { return {Code::kFailedPrecondition, "etcdserver: lease already exists"}; }
Error lease_ttl_too_large() { return {Code::kOutOfRange, "etcdserver: too large lease TTL"}; }
Error not_primary_lessor() { return {Code::kUnknown, "not a primary lessor"}; }
Error no_space() { return {Code::kResourceExhausted, "etcdserver: mvcc: database space exceeded"}; }

}  // namespace truss::mvcc::errors
