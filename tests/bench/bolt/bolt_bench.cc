// CPU per operation of libs/bolt beside the real bbolt 1.3.6, same operations on the same file
// shapes. Usage: truss_bolt_bench [OPERATIONS [BATCH [BBOLT_PROGRAM [VALUE_BYTES]]]]; the program
// is what tests/interop/bbolt builds, or truss_lmdb_bench. Both run without syncs: the disk is not
// what is measured.
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <string>

#include "truss/bolt/bolt.h"
#include "truss/common/coding.h"

using namespace truss;
using namespace truss::bolt;

namespace {

std::uint64_t value_bytes = 100;

template <class T>
T must(Result<T> result) {
  if (!result) {
    fprintf(stderr, "%s\n", result.error().message.c_str());
    exit(1);
  }
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](timeval t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Key i of a run: 17 bytes as etcd's revisions, in order or scattered.
struct Key {
  Key(std::uint64_t i, bool scattered) {
    store_be64(bytes, scattered ? i * 0x9E3779B97F4A7C15 : i);
    bytes[8] = '_';
  }
  ByteView view() const { return {bytes, sizeof bytes}; }
  char bytes[17] = {};
};

std::unique_ptr<DB> open_db(const std::string& file) {
  static PosixFileSystem fs;
  return must(DB::open(fs, file, {.initial_mmap_size = 1 << 30, .no_sync = true}));
}

void put(DB& db, std::uint64_t operations, std::uint64_t batch, bool scattered) {
  const std::string value(value_bytes, '\0');
  for (std::uint64_t done = 0; done < operations; done += batch) {
    Tx tx = must(db.begin_write());
    Bucket b = must(tx.create_bucket_if_absent("key"));
    if (!scattered) b.set_fill_percent(0.9);
    for (std::uint64_t i = done; i < done + batch; ++i)
      must(b.put(Key(i, scattered).view(), value));
    must(tx.commit());
  }
}

void get(DB& db, std::uint64_t operations, std::uint64_t present) {
  Tx tx = must(db.begin_read());
  Bucket b = *must(tx.bucket("key"));
  for (std::uint64_t i = 0; i < operations; ++i) {
    const auto value = must(b.get(Key(i * 7919 % present, true).view()));
    if (!value || value->size() != value_bytes) must(Result<>(fail(Code::kNotFound, "key gone")));
  }
}

std::uint64_t iterate(DB& db, std::uint64_t operations) {
  Tx tx = must(db.begin_read());
  std::uint64_t done = 0, bytes = 0;
  while (done < operations) {
    Cursor c = must(tx.bucket("key"))->cursor();
    for (auto kv = must(c.first()); kv; kv = must(c.next()), ++done) {
      bytes += kv->key.size() + kv->value.size();
    }
  }
  if (bytes == 0) must(Result<>(fail(Code::kNotFound, "nothing to iterate over")));
  return done;
}

double ours(const std::string& file, const std::string& mode, std::uint64_t operations,
            std::uint64_t batch) {
  auto db = open_db(file);
  const double start = cpu_seconds();
  if (mode == "put-seq" || mode == "put-random") {
    put(*db, operations, batch, mode == "put-random");
  } else if (mode == "get-random") {
    get(*db, operations, batch);
  } else {
    operations = iterate(*db, operations);
  }
  return (cpu_seconds() - start) * 1e9 / static_cast<double>(operations);
}

double theirs(const std::string& program, const std::string& file, const std::string& mode,
              std::uint64_t operations, std::uint64_t batch) {
  const std::string command = program + " bench " + file + " " + mode + " " +
                              std::to_string(operations) + " " + std::to_string(batch) + " " +
                              std::to_string(value_bytes);
  FILE* pipe = ::popen(command.c_str(), "r");
  double out = 0;
  if (!pipe || fscanf(pipe, "%lf", &out) != 1 || ::pclose(pipe) != 0) {
    must(Result<>(fail(Code::kInternal, "failed: " + command)));
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t operations = argc > 1 ? strtoull(argv[1], nullptr, 10) : 1000000;
  const std::uint64_t batch = argc > 2 ? strtoull(argv[2], nullptr, 10) : 10000;
  const std::string program = argc > 3 ? argv[3] : "";
  if (argc > 4) value_bytes = strtoull(argv[4], nullptr, 10);
  char name[] = "/tmp/truss-bench-XXXXXX";
  const std::string dir = ::mkdtemp(name);
  printf("%-12s %12s %12s %8s\n", "mode", "ours ns/op", "theirs ns/op", "ratio");
  const auto row = [&](const char* mode, const std::string& suffix, std::uint64_t second) {
    const double a = ours(dir + "/ours" + suffix, mode, operations, second);
    const double b =
        program.empty() ? 0 : theirs(program, dir + "/theirs" + suffix, mode, operations, second);
    printf("%-12s %12.1f %12.1f %8.2f\n", mode, a, b, b > 0 ? a / b : 0);
    fflush(stdout);
  };
  row("put-seq", "-seq", batch);
  row("put-random", "-random", batch);
  row("get-random", "-random", operations);
  row("iterate", "-random", operations * 10);
  PosixFileSystem fs;
  static_cast<void>(remove_all(fs, dir));
}
