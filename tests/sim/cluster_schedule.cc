#include "cluster_schedule.h"

#include <array>
#include <map>
#include <memory>
#include <vector>

#include "../server/sim_cluster.h"

namespace truss::testing {
namespace {

using server::Op;
using server::testing::SimCluster;
using server::testing::SimServer;

SimCluster::Tune tune_of(server::CompatLevel level) {
  return [level](server::Config& config) {
    config.compat = level;
    config.snapshot_count = 20;
    config.snapshot_catch_up_entries = 5;
    config.wal_segment_bytes = 8 << 10;
    config.max_wal_files = 2;
    config.max_snap_files = 2;
    config.purge_interval = std::chrono::milliseconds(500);
  };
}

/// What clients know, shared with the callbacks of members that may be gone by then.
struct Clients {
  std::vector<std::pair<std::string, std::string>> acknowledged;  // keys are written once
  std::string problem;
};

class Schedule {
 public:
  explicit Schedule(const ClusterSchedule& spec)
      : spec_(spec), random_(spec.seed), cluster_(spec.seed, tune_of(spec.level)) {}

  ScheduleResult run() {
    for (int step = 0; step < spec_.steps && ok(); ++step) {
      act();
      cluster_.world.run_for(std::chrono::milliseconds(random_.below(1500)));
      look_after();
      if (step % 20 == 19) come_together();
    }
    if (ok()) come_together();
    result_.problem = clients_->problem;
    result_.acknowledged = static_cast<int>(clients_->acknowledged.size());
    result_.snapshots = cluster_.wire.counts().snapshots_delivered;
    return result_;
  }

 private:
  bool ok() const { return clients_->problem.empty(); }
  void say(const std::string& what) {
    result_.story +=
        std::to_string(cluster_.world.clock().now().time_since_epoch().count() / 1'000'000) + " " +
        what + "\n";
  }
  void fail_with(const std::string& what) {
    if (ok()) clients_->problem = what;
  }
  const std::string& any() { return SimCluster::names()[random_.below(3)]; }

  void act() {
    using Action = void (Schedule::*)();
    static constexpr std::array<Action, 16> kActions = {
        &Schedule::write, &Schedule::write,   &Schedule::write,    &Schedule::write,
        &Schedule::write, &Schedule::read,    &Schedule::read,     &Schedule::crash,
        &Schedule::crash, &Schedule::isolate, &Schedule::cut,      &Schedule::heal,
        &Schedule::lose,  &Schedule::hang,    &Schedule::maintain, &Schedule::move};
    (this->*kActions.at(random_.below(kActions.size())))();
  }

  void write() {
    const std::string name = any();
    if (!cluster_.runs(name)) return start(name);
    const std::uint64_t count = 5 + random_.below(40);
    say("writes " + std::to_string(count) + " through " + name);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::string key = "key" + std::to_string(next_key_++);
      const std::string value(1 + random_.below(random_.below(8) == 0 ? 5000 : 50), 'v');
      cluster_[name]->propose(Op::kPut, SimServer::put_body(key, value),
                              [clients = clients_, key, value](const auto& answer) {
                                if (answer) clients->acknowledged.emplace_back(key, value);
                              });
    }
  }

  void read() {
    const std::string name = any();
    if (!cluster_.runs(name)) return start(name);
    say("reads at " + name);
    const std::size_t before = clients_->acknowledged.size();
    SimServer* member = &cluster_[name];
    member->operator->()->linearizable_read_notify(
        [this, clients = clients_, before, name, member](const Result<>& answer) {
          // A member being taken down may still answer; nobody is there to hear it.
          if (!answer || !member->started()) return;
          for (std::size_t i = before - std::min<std::size_t>(before, 20); i < before; ++i) {
            const auto& [key, value] = clients->acknowledged[i];
            if (member->get(key) != value)
              clients->problem = "stale read of " + key + " at " + name;
          }
        });
  }

  void crash() {
    const std::string name = any();
    say("power fails at " + name);
    ++result_.crashes;
    hung_.erase(name);
    cluster_.crash(name, random_);
    if (random_.below(2) == 0) start(name);
  }
  void start(const std::string& name) {
    say("starts " + name);
    if (std::string why = cluster_.try_start(name); !why.empty()) fail_with(name + ": " + why);
  }

  void isolate() {
    const std::string name = any();
    say("isolates " + name);
    cluster_.wire.isolate(SimCluster::url_of(name));
  }
  void cut() {
    const std::string from = any();
    const std::string to = any();
    say("cuts " + from + " to " + to);
    cluster_.wire.block(SimCluster::url_of(from), SimCluster::url_of(to));
  }
  void heal() {
    say("heals");
    cluster_.wire.heal();
  }
  void lose() {
    say("loses messages");
    cluster_.wire.lose(random_.below(200));
    cluster_.wire.pace(std::chrono::microseconds(100 + random_.below(30'000)));
  }

  void hang() {
    const std::string name = any();
    if (!cluster_.runs(name)) return;
    const bool hangs = !hung_.contains(name);
    say((hangs ? "hangs the disk of " : "frees the disk of ") + name);
    cluster_[name].hang_disk(hangs);
    if (hangs) {
      hung_.insert(name);
    } else {
      hung_.erase(name);
    }
  }

  void maintain() {
    const std::string name = any();
    if (!cluster_.runs(name)) return;
    if (random_.below(2) == 0) {
      say("defragments " + name);
      return cluster_[name]->defragment([](const Result<>&) {});
    }
    const std::int64_t newest = cluster_[name]->store().current_revision();
    say("compacts to " + std::to_string(newest));
    std::string body;
    PbWriter(body).put_varint(1, static_cast<std::uint64_t>(newest));
    cluster_[name]->propose(Op::kCompaction, body, [](const auto&) {});
  }

  void move() {
    const std::string from = any();
    if (!cluster_.runs(from)) return;
    say("moves the leader");
    cluster_[from]->move_leader(SimCluster::id_of(any()), [](const Result<>&) {});
  }

  /// Nobody may have ended itself.
  void look_after() {
    for (const std::string& name : SimCluster::names()) {
      if (cluster_.exists(name) && !cluster_.runs(name)) {
        fail_with(name + " ended itself: " + cluster_[name].member().death());
      }
    }
  }

  void come_together() {
    say("comes together");
    cluster_.wire.heal();
    cluster_.wire.pace(std::chrono::microseconds(200));
    for (const std::string& name : SimCluster::names()) {
      if (hung_.erase(name) > 0) cluster_[name].hang_disk(false);
      if (!cluster_.runs(name)) start(name);
    }
    if (!ok()) return;
    if (!serves()) return fail_with("no leader");
    if (!cluster_.run_until_same()) return fail_with("the members do not become the same");
    look_after();
    for (const std::string& name : SimCluster::names()) check_data(name);
  }

  /// A leader may be on the point of handing over, because of a disk that hung a moment ago.
  bool serves() {
    for (int attempt = 0; attempt < 5; ++attempt) {
      const std::string leader = cluster_.leader();
      if (leader.empty()) return false;
      if (cluster_[leader].read_index()) return true;
    }
    return false;
  }

  void check_data(const std::string& name) {
    for (const auto& [key, value] : clients_->acknowledged) {
      if (cluster_[name].get(key) != value) return fail_with(name + " lost " + key);
    }
  }

  const ClusterSchedule spec_;
  SeededRandom random_;
  std::shared_ptr<Clients> clients_ = std::make_shared<Clients>();
  SimCluster cluster_;
  std::set<std::string> hung_;
  std::uint64_t next_key_ = 0;
  ScheduleResult result_;
};

}  // namespace

ScheduleResult run_schedule(const ClusterSchedule& schedule) { return Schedule(schedule).run(); }

}  // namespace truss::testing
