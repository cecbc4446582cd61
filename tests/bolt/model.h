#pragma once

#include <map>
#include <string>

#include "truss/bolt/bolt.h"

namespace truss::bolt::testing {

/// A bucket as ordered maps.
struct Model {
  std::map<std::string, std::string> pairs;
  std::map<std::string, Model> buckets;
  std::uint64_t sequence = 0;
};

inline std::string difference(const Bucket& bucket, const Model& model);

/// Whether the bucket under `name` is its model, if that has one.
inline std::string inner_difference(const Bucket& bucket, ByteView name, const Model& model) {
  const auto expected = model.buckets.find(std::string(name));
  if (expected == model.buckets.end()) return "a bucket too many: " + std::string(name);
  const auto found = bucket.bucket(name);
  if (!found) return found.error().message;
  if (!*found) return "a cursor shows a bucket that isn't there: " + std::string(name);
  return difference(**found, expected->second);
}

/// Number of keys from the last back to the first, -1 after an error.
inline std::int64_t count_backwards(const Bucket& bucket) {
  std::int64_t count = 0;
  Cursor cursor = bucket.cursor();
  auto kv = cursor.last();
  for (; kv && *kv; kv = cursor.prev()) ++count;
  return kv ? count : -1;
}

/// What a bucket, walked both ways, has that its model hasn't, or the other way round; empty if
/// nothing.
inline std::string difference(const Bucket& bucket, const Model& model) {
  if (bucket.sequence() != model.sequence) return "another sequence";
  std::size_t buckets = 0;
  auto expected = model.pairs.begin();
  Cursor cursor = bucket.cursor();
  auto kv = cursor.first();
  for (; kv && *kv; kv = cursor.next()) {
    if ((*kv)->is_bucket) {
      if (auto why = inner_difference(bucket, (*kv)->key, model); !why.empty()) return why;
      ++buckets;
      continue;
    }
    if (expected == model.pairs.end() || (*kv)->key != expected->first)
      return "a pair too many, or one lacks before " + std::string((*kv)->key);
    if ((*kv)->value != expected->second) return "another value of " + expected->first;
    ++expected;
  }
  if (!kv) return kv.error().message;
  if (expected != model.pairs.end()) return "no " + expected->first;
  if (buckets != model.buckets.size()) return "a bucket lacks";
  const auto all = static_cast<std::int64_t>(model.pairs.size() + buckets);
  return count_backwards(bucket) == all ? "" : "backwards are others than forwards";
}

inline std::string difference(Tx& tx, const Model& model) { return difference(tx.top(), model); }

}  // namespace truss::bolt::testing
