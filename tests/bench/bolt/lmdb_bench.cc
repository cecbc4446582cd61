// LMDB in the operations of bolt_bench.cc, with the arguments of tests/interop/bbolt:
//   truss_lmdb_bench bench FILE put-seq|put-random|get-random|iterate OPERATIONS BATCH
//   [VALUE_BYTES]
// prints processor nanoseconds an operation. Nothing is synced.
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <string>

#include "truss/common/coding.h"

namespace {

constexpr std::size_t kMapBytes = std::size_t{16} << 30;
constexpr std::size_t kKeyBytes = 17;

void must(int code) {
  if (code == 0) return;
  fprintf(stderr, "lmdb: %s\n", mdb_strerror(code));
  exit(1);
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](timeval t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

class Bench {
 public:
  Bench(const std::string& file, std::size_t value_bytes) : value_(value_bytes, '\0') {
    must(mdb_env_create(&env_));
    must(mdb_env_set_mapsize(env_, kMapBytes));
    must(mdb_env_open(env_, file.c_str(), MDB_NOSUBDIR | MDB_NOSYNC | MDB_NORDAHEAD, 0600));
    MDB_txn* tx = begin(0);
    must(mdb_dbi_open(tx, nullptr, 0, &db_));
    must(mdb_txn_commit(tx));
  }

  void put(std::uint64_t operations, std::uint64_t batch, bool scattered) {
    for (std::uint64_t done = 0; done < operations; done += batch) {
      MDB_txn* tx = begin(0);
      for (std::uint64_t i = done; i < done + batch; ++i) {
        MDB_val key = key_of(i, scattered);
        MDB_val value{value_.size(), value_.data()};
        must(mdb_put(tx, db_, &key, &value, scattered ? 0 : MDB_APPEND));
      }
      must(mdb_txn_commit(tx));
    }
  }

  void get(std::uint64_t operations, std::uint64_t present) {
    MDB_txn* tx = begin(MDB_RDONLY);
    for (std::uint64_t i = 0; i < operations; ++i) {
      MDB_val key = key_of(i * 7919 % present, true);
      MDB_val value{};
      must(mdb_get(tx, db_, &key, &value));
    }
    mdb_txn_abort(tx);
  }

  std::uint64_t iterate(std::uint64_t operations) {
    MDB_txn* tx = begin(MDB_RDONLY);
    std::uint64_t done = 0;
    std::uint64_t bytes = 0;
    while (done < operations) {
      MDB_cursor* cursor = nullptr;
      must(mdb_cursor_open(tx, db_, &cursor));
      MDB_val key{};
      MDB_val value{};
      for (; mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0; ++done)
        bytes += key.mv_size + value.mv_size;
      mdb_cursor_close(cursor);
      if (bytes == 0) must(MDB_NOTFOUND);
    }
    mdb_txn_abort(tx);
    return done;
  }

 private:
  MDB_txn* begin(unsigned flags) {
    MDB_txn* tx = nullptr;
    must(mdb_txn_begin(env_, nullptr, flags, &tx));
    return tx;
  }
  MDB_val key_of(std::uint64_t i, bool scattered) {
    truss::store_be64(key_, scattered ? i * 0x9E3779B97F4A7C15 : i);
    key_[8] = '_';
    return {kKeyBytes, key_};
  }

  MDB_env* env_ = nullptr;
  MDB_dbi db_ = 0;
  std::string value_;
  char key_[kKeyBytes] = {};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) {
    fprintf(stderr, "usage: %s bench FILE MODE OPERATIONS BATCH [VALUE_BYTES]\n", argv[0]);
    return 2;
  }
  const std::string mode = argv[3];
  std::uint64_t operations = strtoull(argv[4], nullptr, 10);
  const std::uint64_t batch = strtoull(argv[5], nullptr, 10);
  Bench bench(argv[2], argc > 6 ? strtoull(argv[6], nullptr, 10) : 100);
  const double start = cpu_seconds();
  if (mode == "put-seq" || mode == "put-random") {
    bench.put(operations, batch, mode == "put-random");
  } else if (mode == "get-random") {
    bench.get(operations, batch);
  } else {
    operations = bench.iterate(operations);
  }
  printf("%.1f\n", (cpu_seconds() - start) * 1e9 / static_cast<double>(operations));
  return 0;
}
