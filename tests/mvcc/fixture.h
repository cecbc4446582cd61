#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "truss/common/testing/memory_logger.h"
#include "truss/common/testing/sim_file_system.h"
#include "truss/common/testing/sim_runtime.h"
#include "truss/mvcc/store.h"
#include "truss/mvcc/txn.h"

namespace truss::mvcc {

/// A store on a simulated disk under simulated time, all in the calling thread.
class Fixture {
 public:
  explicit Fixture(StoreOptions store_options = {}, std::uint64_t seed = 1,
                   bool forget_consistent_index = false)
      : world(seed), options(store_options) {
    backend_options.path = "/data/db";
    backend_options.forget_consistent_index = forget_consistent_index;
    REQUIRE(disk.make_dir("/data"));
    REQUIRE(disk.sync_dir("/"));
    open();
  }
  ~Fixture() { shut(); }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  void open() {
    backend_executor = world.make_executor("backend");
    background = world.make_executor("background");
    auto opened = Backend::open(disk, *backend_executor, world.clock(), world.process(), logger,
                                backend_options);
    REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().message));
    backend = *std::move(opened);
    auto store_opened = Store::open(*backend, *background, world.clock(), logger, options);
    REQUIRE_MESSAGE(store_opened, (store_opened ? "" : store_opened.error().message));
    store = *std::move(store_opened);
  }
  /// A clean stop: everything is committed.
  void shut() {
    if (!backend) return;
    backend->close();
    background->stop();
    backend_executor->stop();
    store.reset();
    backend.reset();
  }
  void reopen() {
    shut();
    open();
  }

  std::int64_t put(ByteView key, ByteView value, LeaseId lease = kNoLease) {
    const auto result = apply_put(*store, {.key = key, .value = value, .lease = lease});
    REQUIRE(result);
    return result->revision;
  }
  std::int64_t del(ByteView key, ByteView end = {}) {
    const auto result = apply_delete_range(*store, {.key = key, .range_end = end});
    REQUIRE(result);
    return result->deleted;
  }
  RangeResult get(const RangeRequest& request) {
    auto result = store->range(request);
    REQUIRE_MESSAGE(result, (result ? "" : result.error().message));
    return *std::move(result);
  }
  /// "key=value" of each pair.
  std::vector<std::string> pairs(const RangeRequest& request) {
    std::vector<std::string> out;
    for (const KeyValue& kv : get(request).kvs)
      out.push_back(std::string(kv->key) + "=" + std::string(kv->value));
    return out;
  }
  /// Compacts and waits until the deletion is finished.
  void compact(std::int64_t revision) {
    bool done = false;
    REQUIRE(store->compact(revision, [&done] { done = true; }));
    REQUIRE(world.run_until([&done] { return done; }));
  }
  /// Every revision in the file, as "main/sub" or "main/sub t".
  std::vector<std::string> revisions() {
    backend->force_commit();
    std::vector<std::string> out;
    auto view = backend->view();
    REQUIRE(view);
    const auto note = [&](const ReadView::Record& r) -> Result<bool> {
      out.push_back(std::to_string(r.revision.main) + "/" + std::to_string(r.revision.sub) +
                    (r.tombstone ? " t" : ""));
      return true;
    };
    REQUIRE(view->scan({0, 0}, {INT64_MAX, 0}, note));
    return out;
  }

  testing::SimRuntime world;
  testing::SimFileSystem disk;
  testing::MemoryLogger logger;
  BackendOptions backend_options;
  StoreOptions options;
  std::unique_ptr<Executor> backend_executor;
  std::unique_ptr<Executor> background;
  std::unique_ptr<Backend> backend;
  std::unique_ptr<Store> store;
};

inline constexpr ByteView kAll{"\0", 1};

}  // namespace truss::mvcc
