#include <doctest/doctest.h>

#include <algorithm>

#include "truss/common/random.h"
#include "truss/raft/membership.h"
#include "truss/raft/text.h"

using namespace truss::raft;

namespace {

using Changes = std::vector<ConfChangeSingle>;

const Inflights kWindow(10, 0);

Changes random_changes(truss::Random& random, std::size_t count) {
  Changes out;
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back({static_cast<ConfChangeType>(random.below(4)), NodeId{1 + random.below(6)}});
  }
  return out;
}

Membership start() {
  const Membership nobody;
  return *Changer(nobody, Index{1}, kWindow).simple(Changes{{ConfChangeType::kAddNode, NodeId{1}}});
}

std::string text(const Membership& m) {
  return config_text(m.config) + "\n" + to_text(std::span<const Progress>(m.peers));
}

}  // namespace

TEST_CASE("simple changes one by one, and one joint change of them all, end alike") {
  truss::SeededRandom random(11);
  int compared = 0;
  for (int round = 0; round < 5000; ++round) {
    const Changes all = random_changes(random, 1 + random.below(8));
    Membership stepwise = start();
    bool possible = true;
    for (const ConfChangeSingle& change : all) {
      auto next = Changer(stepwise, Index{10}, kWindow).simple(Changes{change});
      possible = possible && next.has_value();
      if (possible) stepwise = *std::move(next);
    }
    const Membership before = start();
    const auto joint = Changer(before, Index{10}, kWindow).enter_joint(false, all);
    if (!possible || !joint) continue;
    const auto left = Changer(*joint, Index{10}, kWindow).leave_joint();
    REQUIRE(left.has_value());
    CHECK(config_text(left->config) == config_text(stepwise.config));
    ++compared;
  }
  CHECK(compared > 1000);
}

TEST_CASE("every reachable configuration restores to itself") {
  truss::SeededRandom random(12);
  Membership now = start();
  for (int round = 0; round < 5000; ++round) {
    const Changer changer(now, Index{10}, kWindow);
    const Changes changes = random_changes(random, 1 + random.below(4));
    auto next = now.joint()            ? changer.leave_joint()
                : random.below(2) == 0 ? changer.simple(changes)
                                       : changer.enter_joint(random.below(2) == 0, changes);
    if (!next) continue;
    now = *std::move(next);
    const Membership nobody;
    const auto restored = Changer(nobody, Index{10}, kWindow).restore(now.config);
    REQUIRE(restored.has_value());
    CHECK(restored->config == now.config);
    CHECK(restored->peers.size() == now.peers.size());
  }
}

TEST_CASE("a conf state whose sets contradict each other is refused, not believed") {
  const Membership nobody;
  const Changer changer(nobody, Index{1}, kWindow);
  const auto ids = [](std::initializer_list<std::uint64_t> values) {
    std::vector<NodeId> out;
    for (std::uint64_t v : values) out.push_back(NodeId{v});
    return out;
  };
  CHECK_FALSE(changer.restore({ids({1, 2}), ids({2}), {}, {}, false}).has_value());
  CHECK_FALSE(changer.restore({ids({1}), {}, {}, ids({2}), false}).has_value());
  CHECK_FALSE(changer.restore({ids({1}), {}, {}, {}, true}).has_value());
  CHECK_FALSE(changer.restore({ids({1, 1}), {}, {}, {}, false}).has_value());
  CHECK_FALSE(changer.restore({ids({0}), {}, {}, {}, false}).has_value());
  CHECK(changer.restore({ids({3, 1}), {}, {}, {}, false}).has_value());
  CHECK(changer.restore({ids({1}), ids({3}), ids({1, 2}), ids({2}), true}).has_value());
}

TEST_CASE("a change of node 0 was cancelled and changes nothing") {
  const Membership before = start();
  const auto after = Changer(before, Index{9}, kWindow)
                         .apply(as_v2({7, ConfChangeType::kRemoveNode, kNoNode, {}}));
  REQUIRE(after.has_value());
  CHECK(text(*after) == text(before));
}

TEST_CASE("a demoted voter waits in learners_next until the joint configuration is left") {
  Membership m = start();
  m = *Changer(m, Index{5}, kWindow).simple(Changes{{ConfChangeType::kAddNode, NodeId{2}}});
  m = *Changer(m, Index{6}, kWindow)
           .enter_joint(false, Changes{{ConfChangeType::kAddLearnerNode, NodeId{2}}});
  CHECK(config_text(m.config) == "voters=(1)&&(1 2) learners_next=(2)");
  CHECK_FALSE(m.find(NodeId{2})->learner);
  m = *Changer(m, Index{7}, kWindow).leave_joint();
  CHECK(config_text(m.config) == "voters=(1) learners=(2)");
  CHECK(m.find(NodeId{2})->learner);
}

TEST_CASE("a simple change is of one voter, and of any number of learners") {
  const auto refused = [](const Changes& changes) {
    const auto next = Changer(start(), Index{5}, kWindow).simple(changes);
    return next ? std::string() : next.error().message;
  };
  const ConfChangeType add = ConfChangeType::kAddNode;
  CHECK(refused(Changes{{add, NodeId{2}}, {add, NodeId{3}}}) ==
        "more than one voter changed without entering joint config");
  CHECK(refused(Changes{{add, NodeId{2}}, {ConfChangeType::kRemoveNode, NodeId{1}}}) ==
        "more than one voter changed without entering joint config");
  CHECK(refused(Changes{{add, NodeId{2}},
                        {ConfChangeType::kAddLearnerNode, NodeId{3}},
                        {ConfChangeType::kAddLearnerNode, NodeId{4}}})
            .empty());
  CHECK(refused(Changes{{ConfChangeType::kRemoveNode, NodeId{1}}}) == "removed all voters");
}
