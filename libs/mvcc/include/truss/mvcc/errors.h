#pragma once

#include "truss/common/error.h"

/// The errors of the store with etcd's exact codes and texts (clients match the text).
namespace truss::mvcc::errors {

Error compacted();            ///< OutOfRange: required revision has been compacted
Error future_revision();      ///< OutOfRange: required revision is a future revision
Error key_not_found();        ///< InvalidArgument: key not found
Error empty_key();            ///< InvalidArgument: key is not provided
Error value_provided();       ///< InvalidArgument
Error lease_provided();       ///< InvalidArgument
Error too_many_ops();         ///< InvalidArgument
Error duplicate_key();        ///< InvalidArgument
Error invalid_sort_option();  ///< InvalidArgument (3.6 and later)
Error lease_not_found();      ///< NotFound: requested lease not found
Error lease_exists();         ///< FailedPrecondition: lease already exists
Error lease_ttl_too_large();  ///< OutOfRange: too large lease TTL
Error not_primary_lessor();   ///< Unknown: not a primary lessor
Error no_space();             ///< ResourceExhausted: database space exceeded

/// True if `error` has the code and text of `other`.
inline bool is(const Error& error, const Error& other) {
  return error.code == other.code && error.message == other.message;
}

}  // namespace truss::mvcc::errors
