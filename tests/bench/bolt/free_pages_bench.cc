// What a commit, and opening the file, cost with many free pages in it. Usage:
//   truss_bolt_free_pages FOLDER [COMMITS [KEYS]]
// Makes files that differ only in how many of their pages are free (up to 10 million), in one run
// or every second page, and measures commits of 50 random keys each, without syncs: median and mean
// of the processor and the clock. The files are sparse; their free pages are made up, and a stored
// list names them.
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <algorithm>
#include <string>
#include <vector>

#include "truss/bolt/bolt.h"
#include "truss/bolt/freelist_page.h"
#include "truss/bolt/meta.h"
#include "truss/common/coding.h"
#include "truss/common/random.h"

using namespace truss;
using namespace truss::bolt;

namespace {

constexpr std::uint32_t kPageSize = 4096;
constexpr int kBatch = 50;

PosixFileSystem fs;
SystemClock steady;

template <class T>
T must(Result<T> result) {
  if (!result) {
    fprintf(stderr, "%s\n", result.error().message.c_str());
    exit(1);
  }
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

std::string key_of(std::uint64_t i) {
  std::string key(17, '_');
  store_be64(key.data(), i);
  return key;
}

void fill(const std::string& path, std::uint64_t keys) {
  auto db = must(DB::open(fs, path, {.no_sync = true}));
  Tx tx = must(db->begin_write());
  Bucket b = must(tx.create_bucket("key"));
  for (std::uint64_t i = 0; i < keys; ++i) must(b.put(key_of(i), std::string(700, 'v')));
  must(tx.commit());
}

/// Adds `count` free pages at the end, and a list that names them.
void add_free(const std::string& path, std::uint64_t count, bool scattered) {
  Meta meta;
  {
    auto db = must(DB::open(fs, path, {.read_only = true}));
    meta = must(db->begin_read()).meta();
  }
  std::vector<Run> runs;
  const std::uint64_t first = meta.high_water;
  if (scattered) {
    for (std::uint64_t i = 0; i < count; ++i) runs.push_back({first + 2 * i, 1});
  } else if (count > 0) {
    runs.push_back({first, count});
  }
  const std::uint64_t end = first + count * (scattered ? 2 : 1);
  const Run list{end, freelist_pages(count, kPageSize)};
  std::string page(list.count * kPageSize, '\0');
  encode_freelist(runs, list, page.data());
  meta.freelist = end;
  meta.high_water = end + list.count;
  ++meta.txid;
  std::string root(kPageSize, '\0');
  encode_meta(meta, static_cast<int>(meta.txid % 2), root.data());
  const auto file = must(fs.open(path, {.write = true}));
  must(file->truncate(meta.high_water * kPageSize));
  must(file->pwrite(page, list.first * kPageSize));
  must(file->pwrite(root, meta.txid % 2 * kPageSize));
}

double cpu_us() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto us = [](timeval t) { return static_cast<double>(t.tv_sec) * 1e6 + t.tv_usec; };
  return us(usage.ru_utime) + us(usage.ru_stime);
}

double since_ms(MonoTime start) {
  return std::chrono::duration<double, std::milli>(steady.now() - start).count();
}

void commit(DB& db, SeededRandom& random, std::uint64_t keys) {
  static const std::string value(700, 'w');
  Tx tx = must(db.begin_write());
  Bucket b = *must(tx.bucket("key"));
  for (int i = 0; i < kBatch; ++i) must(b.put(key_of(random.below(keys)), value));
  must(tx.commit());
}

void run(const std::string& path, std::uint64_t free_pages, bool scattered, FreelistType type,
         int commits, std::uint64_t keys) {
  static_cast<void>(fs.remove(path));
  fill(path, keys);
  add_free(path, free_pages, scattered);
  const MonoTime start = steady.now();
  auto db = must(DB::open(fs, path, {.freelist_type = type, .no_sync = true}));
  const double open_ms = since_ms(start);
  SeededRandom random(1);
  for (int i = 0; i < commits / 4; ++i) commit(*db, random, keys);  // settles the list and caches
  std::vector<double> clock;
  const double before = cpu_us();
  for (int i = 0; i < commits; ++i) {
    const MonoTime at = steady.now();
    commit(*db, random, keys);
    clock.push_back(since_ms(at) * 1000);
  }
  const double cpu = (cpu_us() - before) / commits;
  std::nth_element(clock.begin(), clock.begin() + commits / 2, clock.end());
  printf("%-8s %-10s %10llu %10llu %9.1f %12.1f %12.1f\n",
         type == FreelistType::kArray ? "array" : "hashmap", scattered ? "scattered" : "one run",
         static_cast<unsigned long long>(free_pages),
         static_cast<unsigned long long>(db->stats().free_pages), open_ms, cpu,
         clock[static_cast<std::size_t>(commits / 2)]);
  fflush(stdout);
  db.reset();
  static_cast<void>(fs.remove(path));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: truss_bolt_free_pages FOLDER [COMMITS [KEYS]]\n");
    return 2;
  }
  const std::string path = std::string(argv[1]) + "/free-pages.db";
  const int commits = argc > 2 ? atoi(argv[2]) : 1000;
  const std::uint64_t keys = argc > 3 ? strtoull(argv[3], nullptr, 10) : 20000;
  printf("%-8s %-10s %10s %10s %9s %12s %12s\n", "list", "shape", "made free", "free after",
         "open ms", "CPU us", "median us");
  for (const FreelistType type : {FreelistType::kHashMap, FreelistType::kArray}) {
    for (const bool scattered : {false, true}) {
      for (const std::uint64_t free : {0ULL, 10'000ULL, 1'000'000ULL, 10'000'000ULL}) {
        run(path, free, scattered, type, commits, keys);
      }
    }
  }
}
