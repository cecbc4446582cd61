#pragma once

#include <doctest/doctest.h>
#include <stdlib.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "truss/bolt/bolt.h"

namespace truss::bolt::testing {

/// The value of a Result that must be there; the error's message ends the test case otherwise.
template <class T>
T must(Result<T> result) {
  if (!result) FAIL(result.error().message);
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

/// A folder on the real disk, removed at the end.
struct TempDir {
  TempDir() {
    char name[] = "/tmp/truss-bolt-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~TempDir() { static_cast<void>(remove_all(fs, path)); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string file(const std::string& name) const { return join_path(path, name); }

  PosixFileSystem fs;
  std::string path;
};

inline std::unique_ptr<DB> open_db(FileSystem& fs, const std::string& path, Options options = {}) {
  return must(DB::open(fs, path, options));
}

/// Fails the test case with every fault that check() finds.
inline void check_sound(DB& db) {
  std::string faults;
  const auto count = must(db.check([&](const std::string& fault) { faults += fault + "\n"; }));
  INFO(faults);
  REQUIRE(count == 0);
}

inline std::string get(Bucket bucket, ByteView key) {
  const auto value = must(bucket.get(key));
  return value ? std::string(*value) : "(none)";
}

inline Bucket bucket_of(Tx& tx, ByteView name) {
  auto found = must(tx.bucket(name));
  if (!found) FAIL("no bucket " << name);
  return *found;
}

/// "000042": keys whose order is that of their numbers.
inline std::string key_of(int n) {
  std::string digits = std::to_string(n);
  return std::string(6 - std::min<std::size_t>(6, digits.size()), '0') + digits;
}

/// All pairs of a bucket; nested buckets have the value "(bucket)".
inline std::map<std::string, std::string> pairs_of(Bucket bucket) {
  std::map<std::string, std::string> out;
  Cursor cursor = bucket.cursor();
  for (auto kv = must(cursor.first()); kv; kv = must(cursor.next())) {
    out.emplace(kv->key, kv->is_bucket ? "(bucket)" : std::string(kv->value));
  }
  return out;
}

/// Puts key_of(i) = value for i in [first, last) in one transaction.
inline void fill(DB& db, ByteView bucket, int first, int last, const std::string& value) {
  Tx tx = must(db.begin_write());
  Bucket b = must(tx.create_bucket_if_absent(bucket));
  for (int i = first; i < last; ++i) must(b.put(key_of(i), value));
  must(tx.commit());
}

}  // namespace truss::bolt::testing
