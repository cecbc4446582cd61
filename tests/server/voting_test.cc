#include <doctest/doctest.h>

#include "sim_cluster.h"
#include "truss/wal/wal.h"

/// A member asks for votes only with a term and a log that a loss of power would leave it. One that
/// forgot its term would ask for the same one again, with less of a log perhaps, and count the
/// votes of both times.
using namespace truss;
using namespace truss::server;
using namespace truss::server::testing;

namespace {

SimCluster::Tune pre_vote(bool on) {
  return [on](Config& config) { config.pre_vote = on; };
}

/// Watches one member's requests for votes, and at each looks at what its disk would keep.
class Asking {
 public:
  Asking(SimCluster& cluster, std::string name) : cluster_(cluster), name_(std::move(name)) {
    cluster_.wire.tap = [this](const raft::Message& m) {
      const bool asks = m.type == raft::MessageType::kVote && m.from == SimCluster::id_of(name_);
      if (asks) check(m);
    };
  }
  int times() const { return times_; }

 private:
  void check(const raft::Message& m) {
    ++times_;
    const auto disk = cluster_.disk(name_).crashed(random_, truss::testing::CrashStyle::kLoseAll);
    truss::testing::SimProcess process;
    auto kept = wal::open_and_read(*disk, process, "/data/member/wal", {}, {});
    REQUIRE_MESSAGE(kept, (kept ? "" : kept.error().message));
    CHECK(kept->contents.hard_state.term == m.term);
    CHECK(kept->contents.hard_state.vote == m.from);
    const auto& entries = kept->contents.entries;
    REQUIRE(!entries.empty());
    CHECK(entries.back().index >= m.index);
    CHECK(entries.back().term >= m.log_term);
  }

  SimCluster& cluster_;
  const std::string name_;
  SeededRandom random_{5};
  int times_ = 0;
};

}  // namespace

TEST_CASE("whoever is told to take over asks for votes only when its new term is on disk") {
  SimCluster cluster(11, pre_vote(true));
  const std::string leader = cluster.leader();
  REQUIRE(!leader.empty());
  REQUIRE(cluster.run_until_same());
  const std::string target = SimCluster::other({leader});
  const raft::Term term = cluster[target]->term();
  const Asking asking(cluster, target);
  cluster[target].hang_disk(true);
  cluster[leader]->move_leader(SimCluster::id_of(target), [](const Result<>&) {});
  REQUIRE(cluster.world.run_until([&] { return cluster[target]->term() > term; }));
  cluster.world.run_for(std::chrono::milliseconds(300));
  CHECK(asking.times() == 0);
  cluster[target].hang_disk(false);
  REQUIRE(cluster.world.run_until([&] { return cluster[target]->status().is_leader; }));
  CHECK(asking.times() == 2);
}

TEST_CASE("whoever stands for election asks for votes only when term and log are on disk") {
  SimCluster cluster(11, pre_vote(false));
  const std::string leader = cluster.leader();
  REQUIRE(!leader.empty());
  REQUIRE(cluster.run_until_same());
  const std::string target = SimCluster::other({leader});
  const raft::Term term = cluster[target]->term();
  const Asking asking(cluster, target);
  cluster[target].hang_disk(true);
  cluster.put_many(leader, 3);  // the other two agree on them
  cluster.wire.isolate(SimCluster::url_of(SimCluster::other({leader, target})));
  cluster.kill(leader);
  REQUIRE(cluster.world.run_until([&] { return cluster[target]->term() > term; }));
  cluster.world.run_for(std::chrono::milliseconds(50));
  CHECK(asking.times() == 0);
  cluster[target].hang_disk(false);
  REQUIRE(cluster.world.run_until([&] { return asking.times() > 0; }));
}
