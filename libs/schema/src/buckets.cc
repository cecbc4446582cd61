#include "truss/schema/buckets.h"

#include "truss/bolt/bolt.h"

namespace truss::schema {

Result<> create_buckets(bolt::Tx& tx) {
  for (const ByteView name : kBucketNames) TRUSS_TRY(tx.create_bucket_if_absent(name));
  return {};
}

}  // namespace truss::schema
