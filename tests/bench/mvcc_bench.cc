// Costs of the store alone: no network, no raft, no WAL. Run by hand; compare like with like.
#include <benchmark/benchmark.h>

#include <filesystem>
#include <string>

#include "key_index.h"
#include "truss/common/executor.h"
#include "truss/common/process.h"
#include "truss/common/random.h"
#include "truss/mvcc/store.h"
#include "truss/mvcc/txn.h"
#include "truss/test_support/temp_dir.h"

namespace truss::mvcc {
namespace {

constexpr ByteView kAll{"\0", 1};

std::string key_of(std::uint64_t i) {
  std::string text = std::to_string(i);
  return "/bench/" + std::string(10 - text.size(), '0') + text;
}

/// A store on a real file, filled with `keys` keys of 256 bytes.
struct Subject {
  explicit Subject(std::uint64_t keys) {
    auto opened =
        Backend::open(fs, *backend_executor, runtime.clock(), process, logger,
                      {.path = dir / "db", .bolt = {.initial_mmap_size = std::uint64_t{1} << 32}});
    if (!opened) process.fatal(opened.error().message);
    backend = *std::move(opened);
    auto made = Store::open(*backend, *background, runtime.clock(), logger, {});
    if (!made) process.fatal(made.error().message);
    store = *std::move(made);
    for (std::uint64_t i = 0; i < keys; ++i) put(i);
    backend->force_commit();
  }
  ~Subject() {
    backend->close();
    background->stop();
    backend_executor->stop();
  }
  void put(std::uint64_t i) {
    backend->wait_for_room();
    const std::string key = key_of(i);
    benchmark::DoNotOptimize(apply_put(*store, {.key = key, .value = value}));
  }

  const std::string value = std::string(256, 'v');
  test_support::TempDir dir;
  PosixFileSystem fs;
  ThreadRuntime runtime;
  SystemProcess process;
  NullLogger logger;
  std::unique_ptr<Executor> backend_executor = runtime.make_executor("backend");
  std::unique_ptr<Executor> background = runtime.make_executor("background");
  std::unique_ptr<Backend> backend;
  std::unique_ptr<Store> store;
};

constexpr std::uint64_t kKeys = 200'000;

void index_insert(benchmark::State& state) {
  SeededRandom random(1);
  KeyIndex index;
  std::int64_t revision = 1;
  for (auto _ : state) {
    const std::string key = key_of(random.below(1'000'000'000));
    benchmark::DoNotOptimize(index.put(key, {++revision, 0}));
  }
}

void index_lookup(benchmark::State& state) {
  SeededRandom random(1);
  KeyIndex index;
  for (std::uint64_t i = 0; i < 1'000'000; ++i)
    index.put(key_of(i), {static_cast<std::int64_t>(i + 2), 0});
  for (auto _ : state) {
    const std::string key = key_of(random.below(1'000'000));
    benchmark::DoNotOptimize(index.find(key)->live_at(INT64_MAX));
  }
}

void put(benchmark::State& state) {
  Subject subject(kKeys);
  SeededRandom random(1);
  for (auto _ : state) subject.put(random.below(kKeys));
}

void get_from_file(benchmark::State& state) {
  Subject subject(kKeys);
  SeededRandom random(1);
  for (auto _ : state) {
    const std::string key = key_of(random.below(kKeys));
    benchmark::DoNotOptimize(subject.store->range({.key = key}));
  }
}

void range_100(benchmark::State& state) {
  Subject subject(kKeys);
  SeededRandom random(1);
  for (auto _ : state) {
    const std::uint64_t at = random.below(kKeys - 100);
    const std::string key = key_of(at), end = key_of(at + 100);
    benchmark::DoNotOptimize(subject.store->range({.key = key, .range_end = end}));
  }
}

/// One put seen by as many watches of the same range as asked for.
void put_watched(benchmark::State& state) {
  Subject subject(1000);
  auto queue = std::make_shared<WatchQueue>(nullptr, SIZE_MAX);
  auto stream = subject.store->watch_stream(queue);
  for (std::int64_t i = 0; i < state.range(0); ++i)
    stream->create({.key = "/bench/", .range_end = kAll});
  SeededRandom random(1);
  for (auto _ : state) {
    subject.put(random.below(1000));
    while (queue->take()) continue;
  }
}

void restore(benchmark::State& state) {
  Subject subject(kKeys);
  for (auto _ : state)
    benchmark::DoNotOptimize(Store::open(*subject.backend, *subject.background,
                                         subject.runtime.clock(), subject.logger, {}));
}

void hash_kv(benchmark::State& state) {
  Subject subject(kKeys);
  for (auto _ : state) benchmark::DoNotOptimize(subject.store->hash_kv(0));
}

BENCHMARK(index_insert);
BENCHMARK(index_lookup);
BENCHMARK(put)->UseRealTime()->MeasureProcessCPUTime();
BENCHMARK(get_from_file);
BENCHMARK(range_100);
BENCHMARK(put_watched)->Arg(1)->Arg(1000);
BENCHMARK(restore)->Unit(benchmark::kMillisecond);
BENCHMARK(hash_kv)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace truss::mvcc

BENCHMARK_MAIN();
