#include "support.h"
#include "truss/common/testing/sweep.h"

// Power cuts at every write and sync of a run of commits: the last acknowledged state or the one
// in flight comes back, whole.
using namespace truss;
using namespace truss::bolt;
using namespace truss::bolt::testing;
using truss::testing::SimOp;

namespace {

constexpr int kCommits = 40;

/// Commit n makes every value "n" and moves keys about, so that pages are freed and reused.
void commit_one(DB& db, int n) {
  Tx tx = must(db.begin_write());
  Bucket b = must(tx.create_bucket_if_absent("key"));
  for (int i = 0; i < 120; ++i) must(b.put(key_of(i), std::to_string(n)));
  if (n % 3 == 0) must(b.put("large", std::string(static_cast<std::size_t>(n) * 300, 'L')));
  if (n % 3 == 1) must(b.remove("large"));
  must(tx.commit());
}

/// The state of a disk after a crash: the number of its last commit, or what is wrong.
tl::expected<int, std::string> state_of(truss::testing::SimFileSystem& disk, bool unsynced) {
  auto opened = DB::open(disk, "/d/db", {.no_freelist_sync = unsynced});
  if (!opened) return tl::unexpected("open: " + opened.error().message);
  DB& db = **opened;
  std::string fault;
  const auto faults = db.check([&](const std::string& f) { fault = f; });
  if (!faults || *faults > 0) return tl::unexpected("check: " + fault);
  auto tx = db.begin_read();
  auto bucket = tx->bucket("key");
  if (!bucket) return tl::unexpected("bucket: " + bucket.error().message);
  if (!*bucket) return 0;
  Cursor c = (*bucket)->cursor();
  auto kv = c.first();
  const std::string value((*kv)->value);
  for (; kv && *kv; kv = c.next()) {
    if ((*kv)->key != "large" && (*kv)->value != value)
      return tl::unexpected(std::string("mixed values"));
  }
  return std::stoi(value);
}

struct Swept {
  std::uint64_t crashes = 0, failures = 0;
  std::string report;
};

Swept sweep(bool unsynced, unsigned copies, const std::function<bool(const SimOp&)>& skipped = {}) {
  truss::testing::SimFileSystem fs;
  must(fs.make_dir("/d"));
  must(fs.sync_dir("/"));
  int acknowledged = -1;  // -1: not even open() has returned
  truss::testing::CrashSweep crashes(
      {.seed = 7, .copies_per_point = copies},
      [&](truss::testing::SimFileSystem& disk) -> truss::testing::Verdict {
        if (acknowledged >= 0 && !exists(disk, "/d/db")) return "the file is gone";
        const auto state = state_of(disk, unsynced);
        if (!state) return state.error();
        if (*state < acknowledged || *state > acknowledged + 1) {
          return "commit " + std::to_string(*state) + " after " + std::to_string(acknowledged);
        }
        return {};
      });
  crashes.attach(fs);
  if (skipped) fs.inject(truss::testing::skip_matching(skipped));
  {
    Options options{.no_freelist_sync = unsynced, .page_size = 1024};
    auto db = open_db(fs, "/d/db", options);
    acknowledged = 0;
    for (int n = 1; n <= kCommits && crashes.failures() == 0; ++n) {
      commit_one(*db, n);
      acknowledged = n;
      if (n % 10 != 0) continue;
      db.reset();
      db = open_db(fs, "/d/db", options);
    }
    crashes.crash_now(fs);
  }
  return {crashes.crashes(), crashes.failures(), crashes.report()};
}

}  // namespace

TEST_CASE("bolt crash: at every point, only whole acknowledged states come back") {
  std::uint64_t total = 0;
  for (const bool unsynced : {true, false}) {
    const Swept swept = sweep(unsynced, 8);
    CHECK_MESSAGE(swept.failures == 0, swept.report);
    total += swept.crashes;
  }
  CHECK(total > 2000);
}

TEST_CASE("bolt crash: the sweep finds each missing sync") {
  int syncs = 0;
  const auto data_sync = [&](const SimOp& op) {  // the first of each pair
    return op.kind == truss::testing::OpKind::kSyncData && syncs++ % 2 == 0;
  };
  CHECK(sweep(true, 8, data_sync).failures > 0);
  syncs = 0;
  const auto meta_sync = [&](const SimOp& op) {
    return op.kind == truss::testing::OpKind::kSyncData && syncs++ % 2 == 1;
  };
  CHECK(sweep(true, 8, meta_sync).failures > 0);
  const auto dir_sync = [](const SimOp& op) { return op.kind == truss::testing::OpKind::kSyncDir; };
  CHECK(sweep(true, 8, dir_sync).failures > 0);
  const auto file_sync = [](const SimOp& op) {
    return op.kind == truss::testing::OpKind::kSync && op.path.find("tmp") != std::string::npos;
  };
  CHECK(sweep(true, 8, file_sync).failures > 0);
}

TEST_CASE("bolt crash: each call failing in turn leaves the last state or the next") {
  for (const bool unsynced : {true, false}) {
    int acknowledged = -1;
    truss::testing::FaultSweep faults;
    faults.stride = 3;
    faults.make_disk = [] {
      auto fs = std::make_unique<truss::testing::SimFileSystem>();
      must(fs->make_dir("/d"));
      must(fs->sync_dir("/"));
      return fs;
    };
    struct Died {};
    faults.run = [&](truss::testing::SimFileSystem& fs) -> truss::testing::Verdict {
      acknowledged = -1;
      try {
        auto db = DB::open(fs, "/d/db", {.no_freelist_sync = unsynced, .page_size = 1024},
                           [](std::string_view) { throw Died{}; });
        if (!db) return {};
        acknowledged = 0;
        for (int n = 1; n <= 6; ++n) {
          Tx tx = must((*db)->begin_write());
          Bucket b = must(tx.create_bucket_if_absent("key"));
          for (int i = 0; i < 120; ++i) must(b.put(key_of(i), std::to_string(n)));
          if (!tx.commit()) return {};  // refused before any write
          acknowledged = n;
        }
      } catch (const Died&) {
      }
      return {};
    };
    faults.check = [&](truss::testing::SimFileSystem& fs) -> truss::testing::Verdict {
      SeededRandom random(3);
      const auto disk = fs.crashed(random);
      if (acknowledged >= 0 && !exists(*disk, "/d/db")) return "the file is gone";
      const auto state = state_of(*disk, unsynced);
      if (!state) return state.error();
      if (*state < acknowledged || *state > acknowledged + 1) return "wrong state";
      return {};
    };
    const auto outcome = faults.sweep();
    CHECK_MESSAGE(outcome.failures == 0, outcome.report);
    CHECK(outcome.runs > 20);
  }
}
