#pragma once

#include <string>

#include "truss/bolt/bolt.h"
#include "truss/schema/buckets.h"

namespace truss::schema {

/// Calls `visit(key, value)` for each pair of the bucket in order, none if it is absent. An error
/// of `visit` ends the walk and gets bucket and key put before it.
template <class Visit>
Result<> scan_bucket(bolt::Tx& tx, BucketId id, Visit&& visit) {
  TRUSS_ASSIGN(const auto bucket, tx.bucket(bucket_name(id)));
  if (!bucket) return {};
  auto cursor = bucket->cursor();
  TRUSS_ASSIGN(auto pair, cursor.first());
  while (pair) {
    if (Result<> visited = visit(pair->key, pair->value); !visited)
      return fail(
          "bucket " + std::string(bucket_name(id)) + ", key " + quoted(pair->key.substr(0, 64)),
          std::move(visited).error());
    TRUSS_ASSIGN(pair, cursor.next());
  }
  return {};
}

}  // namespace truss::schema
