#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <map>

#include "truss/common/executor.h"
#include "truss/common/process.h"
#include "truss/lease/lessor.h"
#include "truss/mvcc/store.h"
#include "truss/mvcc/txn.h"
#include "truss/test_support/temp_dir.h"

using namespace truss;
using namespace truss::mvcc;

namespace {

constexpr ByteView kAll{"\0", 1};

/// Backend and store on real threads and a real file.
struct Threads {
  Threads() {
    auto opened = Backend::open(fs, *backend_executor, runtime.clock(), process, logger,
                                {.path = dir / "db",
                                 .batch_interval = std::chrono::milliseconds(2),
                                 .batch_limit = 50,
                                 .bolt = {.initial_mmap_size = 1 << 20, .no_sync = true}});
    REQUIRE(opened);
    backend = *std::move(opened);
    auto store_opened = Store::open(
        *backend, *background, runtime.clock(), logger,
        {.compaction_batch_limit = 20, .compaction_pause = std::chrono::milliseconds(1)});
    REQUIRE(store_opened);
    store = *std::move(store_opened);
  }
  ~Threads() {
    backend->close();
    background->stop();
    backend_executor->stop();
  }

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

/// Every transaction sets all of these to the same number, so a reader that sees two is wrong.
constexpr int kKeys = 10;

void write_round(Store& store, int round) {
  WriteTxn txn = store.write();
  for (int k = 0; k < kKeys; ++k)
    txn.put("key" + std::to_string(k), std::to_string(round), kNoLease);
}

void read_until(Store& store, const std::atomic<bool>& stop, std::atomic<std::uint64_t>& reads) {
  while (!stop) {
    ReadTxn txn = store.read();
    const auto all = txn.range({.key = kAll, .range_end = kAll});
    if (!all) {
      // A compaction may pass the moment between taking the revision and reading: not with a pin.
      FAIL_CHECK(all.error().message);
      return;
    }
    for (const KeyValue& kv : all->kvs)
      if (kv->value != all->kvs[0]->value) FAIL_CHECK("torn transaction");
    ++reads;
  }
}

}  // namespace

TEST_CASE(
    "readers on threads see whole transactions while writes, commits, compactions and a "
    "defragmentation go on") {
  Threads t;
  write_round(*t.store, 0);
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> reads = 0;
  std::vector<std::unique_ptr<Thread>> readers;
  for (int i = 0; i < 3; ++i)
    readers.push_back(
        std::make_unique<Thread>("reader", [&] { read_until(*t.store, stop, reads); }));
  for (int round = 1; round <= 400; ++round) {
    t.backend->wait_for_room();
    write_round(*t.store, round);
    if (round % 50 == 0) CHECK(t.store->compact(round - 10));
    if (round % 100 == 0) CHECK(t.store->hash_kv(0));
    if (round == 200) CHECK(t.backend->defragment());
  }
  stop = true;
  for (auto& reader : readers) reader->join();
  CHECK(reads > 0);
  CHECK(t.store->current_revision() == 402);
  CHECK(t.store->range({.key = "key0"})->kvs[0]->value == "400");
}

TEST_CASE("watches on threads: each revision once, whole, in order") {
  Threads t;
  for (int round = 0; round < 20; ++round) write_round(*t.store, round);
  struct Consumer {
    std::atomic<bool> stop = false;
    std::int64_t last = 1;
    std::uint64_t faults = 0;
  };
  std::vector<std::unique_ptr<Consumer>> consumers;
  std::vector<std::unique_ptr<Thread>> threads;
  for (int i = 0; i < 3; ++i) {
    consumers.push_back(std::make_unique<Consumer>());
    threads.push_back(std::make_unique<Thread>("watcher", [&t, &c = *consumers.back()] {
      auto queue = std::make_shared<WatchQueue>(nullptr, 4);
      auto stream = t.store->watch_stream(queue);
      stream->create({.key = kAll, .range_end = kAll, .start_revision = 2, .prev_kv = true});
      while (!c.stop) {
        auto response = queue->take();
        if (!response || response->created) continue;
        stream->fill_prev_kv(*response);
        if (response->events.size() % kKeys != 0) ++c.faults;
        for (std::size_t e = 0; e < response->events.size(); ++e)
          if (response->events[e].kv->mod_revision !=
              c.last + 1 + static_cast<std::int64_t>(e / kKeys))
            ++c.faults;
        c.last = response->events.back().kv->mod_revision;
        if (c.last == 321) c.stop = true;
      }
    }));
  }
  for (int round = 20; round < 320; ++round) {
    t.backend->wait_for_room();
    write_round(*t.store, round);
  }
  for (auto& thread : threads) thread->join();
  for (const auto& consumer : consumers) {
    CHECK(consumer->last == 321);
    CHECK(consumer->faults == 0);
  }
}

TEST_CASE("leases on threads: renewals and listings beside grants and revokes") {
  Threads t;
  lease::Lessor lessor(*t.backend, t.runtime.clock(), {});
  t.store->set_lease_links(&lessor);
  lessor.promote(Duration(0));
  std::atomic<bool> stop = false;
  Thread renewer("renewer", [&] {
    for (std::int64_t i = 0; !stop; ++i) {
      (void)lessor.renew(LeaseId{1 + i % 50});
      (void)lessor.time_to_live(LeaseId{1 + i % 50}, true);
      (void)lessor.leases();
      (void)lessor.take_expired();
    }
  });
  for (int round = 0; round < 20; ++round) {
    for (int i = 1; i <= 50; ++i) {
      CHECK(lessor.grant(LeaseId{i}, 60));
      CHECK(apply_put(*t.store, {.key = "k" + std::to_string(i), .lease = LeaseId{i}}));
    }
    for (int i = 1; i <= 50; ++i) CHECK(lessor.revoke(LeaseId{i}, *t.store));
  }
  stop = true;
  renewer.join();
  CHECK(t.store->range({.key = kAll, .range_end = kAll})->count == 0);
  t.store->set_lease_links(nullptr);
}
