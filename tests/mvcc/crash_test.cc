#include <map>

#include "fixture.h"
#include "truss/common/testing/sweep.h"
#include "truss/lease/lessor.h"

using namespace truss;
using namespace truss::mvcc;
using testing::CrashSweep;
using testing::SimFileSystem;
using testing::Verdict;

namespace {

/// What apply n leaves: its revision and HashKV. Every apply writes a pair of keys in one
/// transaction, so a torn one shows.
struct State {
  std::int64_t revision = 1;
  std::uint32_t hash = 0;
};

/// A member's store fed with entries 1, 2, 3, ...; remembers what each must leave.
class Workload {
 public:
  explicit Workload(std::uint64_t seed, bool forget_index = false)
      : fixture_({.compaction_batch_limit = 3}, seed, forget_index), random_(seed) {
    fixture_.backend->set_commit_listener([this](std::uint64_t index) { committed_ = index; });
    states_[0] = {1, fixture_.store->hash_kv(0).value().hash};
  }

  void run(int entries) {
    for (int i = 0; i < entries; ++i) {
      apply();
      if (random_.below(3) == 0)
        fixture_.world.run_for(std::chrono::milliseconds(random_.below(120)));
      if (random_.below(25) == 0) fixture_.compact(fixture_.store->current_revision());
      if (random_.below(30) == 0) REQUIRE(fixture_.backend->defragment());
    }
    fixture_.backend->force_commit();
  }

  Verdict judge(SimFileSystem& crashed) const;
  SimFileSystem& disk() { return fixture_.disk; }

 private:
  void apply() {
    const Backend::Hold hold(*fixture_.backend);
    const std::string key = "k" + std::to_string(random_.below(9));
    WriteTxn txn = fixture_.store->write();
    if (random_.below(6) == 0) {
      txn.delete_range(key, {});
      txn.delete_range(key + "'", {});
    } else {
      const std::string value(random_.below(400), 'v');
      txn.put(key, value, kNoLease);
      txn.put(key + "'", value, kNoLease);
    }
    txn.end();
    fixture_.backend->set_consistent_index(++index_, 1);
    states_[index_] = {fixture_.store->current_revision(), 0};
    live_[index_] = fixture_.pairs({.key = kAll, .range_end = kAll});
  }

  Fixture fixture_;
  SeededRandom random_;
  std::uint64_t index_ = 0;
  std::uint64_t committed_ = 0;
  std::map<std::uint64_t, State> states_;
  std::map<std::uint64_t, std::vector<std::string>> live_;
};

/// Opens the crashed disk as a restarted member would: the content must be exactly what the
/// consistent index in the file says, and that index no older than the last finished commit.
Verdict Workload::judge(SimFileSystem& crashed) const {
  testing::SimRuntime world(7);
  NullLogger logger;
  auto executor = world.make_executor("all");
  auto backend = Backend::open(crashed, *executor, world.clock(), world.process(), logger,
                               {.path = "/data/db"});
  if (!backend) return "open: " + backend.error().message;
  const std::uint64_t index = (*backend)->consistent_index();
  if (index < committed_)
    return "index " + std::to_string(index) + " after commit of " + std::to_string(committed_);
  auto store = Store::open(**backend, *executor, world.clock(), logger, {});
  if (!store) return "store: " + store.error().message;
  const std::int64_t revision = (*store)->current_revision();
  if (revision != states_.at(index).revision)
    return "index " + std::to_string(index) + " with revision " + std::to_string(revision);
  if (index == 0) return {};
  const auto all = (*store)->range({.key = kAll, .range_end = kAll});
  if (!all) return "range: " + all.error().message;
  std::vector<std::string> pairs;
  for (const KeyValue& kv : all->kvs)
    pairs.push_back(std::string(kv->key) + "=" + std::string(kv->value));
  if (pairs != live_.at(index)) return "index " + std::to_string(index) + " with other content";
  world.run_for(std::chrono::seconds(30));  // resumes a compaction
  if (!(*store)->hash_kv(0)) return "no hash after resuming";
  (*backend)->put_revision({revision + 1, 0}, false, schema::encode_key_value({.key = "new"}));
  (*backend)->force_commit();
  return {};
}

}  // namespace

TEST_CASE("after a crash anywhere the db is at exactly the applies its index says") {
  std::uint64_t crashes = 0;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    Workload workload(seed);
    CrashSweep sweep({.seed = seed, .copies_per_point = 2},
                     [&](SimFileSystem& crashed) { return workload.judge(crashed); });
    sweep.attach(workload.disk());
    workload.run(60);
    sweep.crash_now(workload.disk());
    CrashSweep::detach(workload.disk());
    CHECK_MESSAGE(sweep.failures() == 0, sweep.report());
    crashes += sweep.crashes();
  }
  CHECK(crashes > 1000);
}

namespace {

/// True if some sweep fails over a workload broken in the given way.
bool noticed(bool forget_index, const testing::SimInjector& injector) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    Workload workload(seed, forget_index);
    CrashSweep sweep({.seed = seed, .copies_per_point = 2},
                     [&](SimFileSystem& crashed) { return workload.judge(crashed); });
    sweep.attach(workload.disk());
    workload.disk().inject(injector);
    workload.run(60);
    sweep.crash_now(workload.disk());
    CrashSweep::detach(workload.disk());
    if (sweep.failures() > 0) return true;
  }
  return false;
}

testing::SimInjector skip(testing::OpKind kind) {
  return testing::skip_matching([kind](const testing::SimOp& op) { return op.kind == kind; });
}

}  // namespace

TEST_CASE("the sweep notices what it is there for") {
  CHECK(noticed(true, {}));
  CHECK(noticed(false, skip(testing::OpKind::kSyncData)));
  CHECK(noticed(false, skip(testing::OpKind::kSyncDir)));
  CHECK(noticed(false, skip(testing::OpKind::kSync)));
  CHECK_FALSE(noticed(false, {}));
}
