#include "snapshot_workload.h"

#include <map>
#include <memory>
#include <string>

#include "../server/sim_cluster.h"
#include "truss/common/check.h"

namespace truss::testing {
namespace {

using server::testing::SimCluster;
using Disks = std::map<std::string, std::unique_ptr<SimFileSystem>>;

SimCluster::Tune tune_of(const SnapshotWorkload& spec) {
  return [spec](server::Config& config) {
    config.compat = spec.level;
    config.snapshot_count = 20;
    config.snapshot_catch_up_entries = 5;
    config.wal_segment_bytes = 8 << 10;
    config.max_wal_files = 2;
    config.max_snap_files = 2;
    config.purge_interval = std::chrono::milliseconds(300);
  };
}

/// What clients know: each key's value as acknowledged last, nullopt for a deleted one.
using Known = std::map<std::string, std::optional<std::string>>;

class World {
 public:
  World(const SnapshotWorkload& spec, Disks disks)
      : spec_(spec), cluster_(spec.seed, tune(), std::move(disks)), random_(spec.seed) {}

  SimCluster& cluster() { return cluster_; }
  const Known& known() const { return known_; }
  const std::string& follower() const { return follower_; }

  /// Starts all; what is wrong, if anything. The member whose disk is under test shall follow.
  std::string start(const std::string& follower) {
    follower_ = follower;
    for (const std::string& name : SimCluster::names()) {
      if (std::string why = cluster_.try_start(name); !why.empty()) return name + ": " + why;
    }
    leader_ = cluster_.leader();
    if (leader_ != follower_) return leader_.empty() ? "no leader" : "";
    leader_ = SimCluster::other({follower_});
    std::optional<Result<>> moved;
    cluster_[follower_]->move_leader(SimCluster::id_of(leader_),
                                     [&moved](Result<> r) { moved = std::move(r); });
    cluster_.world.run_until([&] { return moved.has_value(); });
    return moved && *moved ? "" : "leadership did not move";
  }

  void round(int number) {
    // What is kept for followers that had a snapshot just now must be gone.
    if (number > 0) cluster_.world.run_for(std::chrono::seconds(40));
    cluster_.wire.isolate(SimCluster::url_of(follower_));
    write(spec_.writes, number);
    cluster_.world.run_for(std::chrono::seconds(1));
    cluster_.wire.heal();
    settle();
    write(5, number);
    settle();
  }
  /// Until all that run hold the same; a dead follower is not waited for.
  void settle() { (void)cluster_.run_until_same(std::chrono::seconds(20)); }

 private:
  SimCluster::Tune tune() {
    auto common = tune_of(spec_);
    return [this, common](server::Config& config) {
      common(config);
      if (config.name == follower_) config.sabotage = spec_.sabotage;
    };
  }

  void write(int count, int round) {
    for (int i = 0; i < count; ++i) {
      const std::string key = "k" + std::to_string(random_.below(40));
      std::optional<std::string> value;
      if (random_.below(6) > 0) {
        value = std::to_string(round) + "." + std::to_string(i) +
                std::string(random_.below(10) == 0 ? 6000 : 20, 'v');
      }
      known_.erase(key);  // while the answer is out
      if (call(key, value)) known_[key] = value;
    }
  }

  /// Puts the value or deletes the key; true once acknowledged.
  bool call(const std::string& key, const std::optional<std::string>& value) {
    using server::testing::SimServer;
    std::string deletion;
    PbWriter(deletion).field_bytes(1, key);
    server::testing::SimServer& member = cluster_[leader_];
    const auto answer = value ? member.ask(server::Op::kPut, SimServer::put_body(key, *value))
                              : member.ask(server::Op::kDeleteRange, deletion);
    return answer && *answer;
  }

  const SnapshotWorkload& spec_;
  SimCluster cluster_;
  SeededRandom random_;
  Known known_;
  std::string follower_;
  std::string leader_;
};

/// Judges the follower's crashed disk beside the others' as they are.
class Judge {
 public:
  Judge(const SnapshotWorkload& spec, World& world, bool again = true)
      : spec_(spec), world_(world), again_(again) {}

  Verdict operator()(SimFileSystem& disk) {
    const std::uint64_t seed = 1000 + crashes_++;
    Disks disks;
    for (const std::string& name : SimCluster::names()) {
      disks[name] = name == world_.follower() ? disk.mount() : world_.cluster().disk(name).clone();
    }
    SimCluster cluster(seed, tune_of(spec_), std::move(disks));
    if (Verdict verdict = start_alone(cluster, disk, seed); !verdict.empty()) return verdict;
    for (const std::string& name : SimCluster::names()) {
      if (name == world_.follower()) continue;
      if (std::string why = cluster.try_start(name); !why.empty()) return name + ": " + why;
    }
    return judge_together(cluster, seed);
  }

 private:
  /// It starts by itself; now and then it is crashed again at points on its way.
  Verdict start_alone(SimCluster& cluster, SimFileSystem& disk, std::uint64_t seed) {
    std::unique_ptr<CrashSweep> sweep;
    if (again_ && seed % 32 == 0) {
      sweep = std::make_unique<CrashSweep>(CrashSweep::Options{.seed = seed, .copies_per_point = 1},
                                           Judge(spec_, world_, /*again=*/false));
      sweep->attach(disk);
    }
    const std::string why = cluster.try_start(world_.follower());
    CrashSweep::detach(disk);
    if (!why.empty()) return "start: " + why;
    return sweep ? sweep->report() : "";
  }

  Verdict judge_together(SimCluster& cluster, std::uint64_t seed) {
    const std::string leader = cluster.leader();
    if (leader.empty()) return "no leader after the crash";
    // Else all could be the same at something old.
    if (!cluster[leader].read_index()) return "no read index after the crash";
    if (!cluster.run_until_same(std::chrono::minutes(1))) {
      return "it does not catch up: " + states(cluster);
    }
    if (Verdict verdict = judge_data(cluster); !verdict.empty()) return verdict;
    const auto put = cluster[leader].put("after", std::to_string(seed));
    if (!put || !*put) return "a put after the crash failed";
    if (!cluster.run_until_same(std::chrono::minutes(1))) return "it stopped following";
    if (seed % 4 != 0) return {};
    SeededRandom random(seed);
    cluster.crash(world_.follower(), random);
    if (std::string why = cluster.try_start(world_.follower()); !why.empty()) {
      return "second start: " + why;
    }
    if (!cluster.run_until_same(std::chrono::minutes(1)))
      return "after a second crash: no catch-up";
    return judge_data(cluster);
  }

  Verdict judge_data(SimCluster& cluster) {
    for (const auto& [key, value] : world_.known()) {
      if (cluster[world_.follower()].get(key) != value) return "acknowledged " + key + " is lost";
    }
    return {};
  }

  static std::string states(SimCluster& cluster) {
    std::string out;
    for (const std::string& name : SimCluster::names()) {
      out += name + (cluster.runs(name) ? " runs at " : " died at ") +
             std::to_string(cluster[name]->status().applied.value()) + "; " +
             cluster[name].member().death();
    }
    return out;
  }

  const SnapshotWorkload& spec_;
  World& world_;
  const bool again_;
  std::uint64_t crashes_ = 0;
};

Disks three_disks(SimFileSystem& swept, const std::string& follower) {
  Disks disks;
  for (const std::string& name : SimCluster::names()) {
    disks[name] = name == follower ? swept.mount() : std::make_unique<SimFileSystem>();
  }
  return disks;
}

const std::string kFollower = "c";

/// Three directories with a little in them, as left by kill -9.
Disks founded(const SnapshotWorkload& spec) {
  SimFileSystem disk;
  World world(spec, three_disks(disk, kFollower));
  TRUSS_CHECK(world.start(kFollower).empty());
  world.settle();
  Disks disks;
  for (const std::string& name : SimCluster::names())
    disks[name] = world.cluster().disk(name).clone();
  return disks;
}

}  // namespace

SweepResult sweep_snapshot(const SnapshotWorkload& spec) {
  SimFileSystem disk;
  World world(spec, three_disks(disk, kFollower));
  CrashSweep sweep({.seed = spec.seed,
                    .copies_per_point = spec.copies_per_point,
                    .stride = spec.stride,
                    .stop_after_failures = spec.stop_after_failures},
                   Judge(spec, world));
  const std::string problem = world.start(kFollower);
  if (!problem.empty()) return {.failures = 1, .report = "the members themselves: " + problem};
  if (spec.injector) disk.inject(spec.injector);
  sweep.attach(disk);
  for (int i = 0; i < spec.rounds && sweep.failures() < spec.stop_after_failures; ++i) {
    world.round(i);
  }
  CrashSweep::detach(disk);
  SweepResult result = SweepResult::of(sweep);
  const int delivered = world.cluster().wire.counts().snapshots_delivered;
  if (result.failures == 0 && delivered < spec.rounds) {
    result +=
        {.failures = 1, .report = "only " + std::to_string(delivered) + " snapshots were needed"};
  }
  return result;
}

FaultSweep::Outcome sweep_snapshot_faults(const SnapshotWorkload& spec) {
  const Disks base = founded(spec);
  std::unique_ptr<World> world;
  FaultSweep faults;
  faults.stride = spec.stride;
  faults.seed = spec.seed;
  faults.make_disk = [&] { return base.at(kFollower)->clone(); };
  faults.run = [&](SimFileSystem& disk) -> Verdict {
    Disks disks;
    for (const auto& [name, d] : base) disks[name] = name == kFollower ? disk.mount() : d->clone();
    world = std::make_unique<World>(spec, std::move(disks));
    if (!world->start(kFollower).empty()) return {};
    for (int i = 0; i < spec.rounds; ++i) world->round(i);
    return {};
  };
  faults.check = [&](SimFileSystem& disk) -> Verdict {
    SeededRandom random(spec.seed);
    Judge judge(spec, *world);
    if (Verdict verdict = judge(*disk.crashed(random)); !verdict.empty()) return verdict;
    return judge(*disk.clone());
  };
  return faults.sweep();
}

}  // namespace truss::testing
