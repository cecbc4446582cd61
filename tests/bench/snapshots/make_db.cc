// truss_make_db FILE KEYS VALUE_BYTES [CHANGES]: a db of etcd with that many keys, put one by one
// at revisions 2, 3, ..., and then CHANGES of them, evenly spread, once more.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "truss/bolt/bolt.h"
#include "truss/schema/buckets.h"
#include "truss/schema/key_value.h"
#include "truss/schema/records.h"
#include "truss/schema/revision.h"

namespace {

using namespace truss;

/// Dies with the error.
template <class T>
T must(Result<T> result) {
  if (result) return *std::move(result);
  std::fprintf(stderr, "%s\n", result.error().message.c_str());
  std::exit(1);
}
void must(const Result<>& result) {
  if (result) return;
  std::fprintf(stderr, "%s\n", result.error().message.c_str());
  std::exit(1);
}

class Maker {
 public:
  Maker(const std::string& path, std::size_t value_bytes)
      : db_(must(bolt::DB::open(files_, path, {.no_sync = true}))), value_(value_bytes, 'v') {
    bolt::Tx tx = must(db_->begin_write());
    must(schema::create_buckets(tx));
    bolt::Bucket meta = **tx.bucket(schema::bucket_name(schema::BucketId::kMeta));
    must(meta.put(schema::kConsistentIndexKey, schema::encode_u64(1)));
    must(tx.commit());
  }
  /// Puts the keys first, first + step, ... below `end`.
  void put(std::uint64_t first, std::uint64_t end, std::uint64_t step, std::int64_t version) {
    while (first < end) {
      bolt::Tx tx = must(db_->begin_write());
      bolt::Bucket keys = **tx.bucket(schema::bucket_name(schema::BucketId::kKey));
      keys.set_fill_percent(0.9);
      for (int i = 0; i < 10'000 && first < end; ++i, first += step) put_one(keys, first, version);
      must(tx.commit());
    }
  }

 private:
  void put_one(bolt::Bucket& keys, std::uint64_t number, std::int64_t version) {
    char key[32];
    std::snprintf(key, sizeof key, "/registry/%012llu", static_cast<unsigned long long>(number));
    std::snprintf(value_.data(), value_.size(), "%llu.%lld",
                  static_cast<unsigned long long>(number * 2654435761), 0LL + version);
    ++revision_;
    const std::int64_t created = version == 1 ? revision_ : static_cast<std::int64_t>(number) + 2;
    const schema::KeyValueView kv{key, created, revision_, version, value_, 0};
    must(keys.put(schema::RevisionKey({revision_, 0}).view(), schema::encode_key_value(kv).view()));
  }

  PosixFileSystem files_;
  std::unique_ptr<bolt::DB> db_;
  std::string value_;
  std::int64_t revision_ = 1;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fputs("usage: truss_make_db FILE KEYS VALUE_BYTES [CHANGES]\n", stderr);
    return 2;
  }
  const std::uint64_t keys = std::strtoull(argv[2], nullptr, 10);
  Maker maker(argv[1], std::strtoull(argv[3], nullptr, 10));
  maker.put(0, keys, 1, 1);
  const std::uint64_t changes = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 0;
  if (changes > 0) maker.put(0, keys / changes * changes, keys / changes, 2);
}
