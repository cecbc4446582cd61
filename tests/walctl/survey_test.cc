#include "truss/waltool/survey.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace truss;
using namespace truss::waltool;

namespace {

/// A member of a cluster that only keeps a log: terms of entries 1, 2, …
struct Node {
  std::vector<std::uint64_t> terms;
  std::uint64_t commit = 0;
  std::uint64_t snapshot = 0;  ///< entries up to here are in its snapshot only
  std::uint64_t term = 1;
};

/// Replicates, commits and changes leaders at random, as raft allows it.
class History {
 public:
  History(std::uint64_t seed, std::size_t size) : random_(seed), nodes_(size) {
    for (std::uint64_t steps = 20 + pick(60); steps > 0; --steps) step();
  }
  const std::vector<Node>& nodes() const { return nodes_; }
  std::uint64_t pick(std::uint64_t n) { return random_() % n; }

 private:
  std::uint64_t last_term(const Node& n) const { return n.terms.empty() ? 0 : n.terms.back(); }
  bool up_to_date(const Node& a, const Node& b) const {
    return std::pair(last_term(a), a.terms.size()) >= std::pair(last_term(b), b.terms.size());
  }

  void elect() {
    const std::size_t candidate = pick(nodes_.size());
    std::vector<std::size_t> votes;
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      if (up_to_date(nodes_[candidate], nodes_[i])) votes.push_back(i);
    if (votes.size() <= nodes_.size() / 2) return;
    leader_ = candidate;
    ++term_;
    for (const std::size_t i : votes) nodes_[i].term = term_;
    nodes_[leader_].terms.push_back(term_);
  }

  void replicate(Node& to) {
    const Node& from = nodes_[leader_];
    to.term = term_;
    std::size_t same = 0;
    while (same < to.terms.size() && same < from.terms.size() && to.terms[same] == from.terms[same])
      ++same;
    const std::size_t end = same + pick(from.terms.size() - same + 1);
    if (end == same) return;
    to.terms.assign(from.terms.begin(), from.terms.begin() + static_cast<std::ptrdiff_t>(end));
  }

  void commit() {
    Node& leader = nodes_[leader_];
    for (std::size_t index = leader.terms.size(); index > leader.commit; --index) {
      if (leader.terms[index - 1] != term_) return;
      const auto has = std::ranges::count_if(nodes_, [&](const Node& n) {
        return n.terms.size() >= index && n.terms[index - 1] == term_;
      });
      if (static_cast<std::size_t>(has) <= nodes_.size() / 2) continue;
      leader.commit = index;
      return;
    }
  }

  void step() {
    const std::uint64_t kind = pick(10);
    if (kind == 0 || term_ == 0) return elect();
    if (nodes_[leader_].term != term_) return;
    if (kind < 4) return nodes_[leader_].terms.push_back(term_);
    Node& other = nodes_[pick(nodes_.size())];
    if (kind < 8 && &other != &nodes_[leader_]) replicate(other);
    commit();
    const Node& leader = nodes_[leader_];
    const bool prefix = std::ranges::equal(
        other.terms,
        std::span(leader.terms).first(std::min(leader.terms.size(), other.terms.size())));
    if (prefix) other.commit = std::max(other.commit, std::min(leader.commit, other.terms.size()));
    if (kind == 9) other.snapshot = std::max(other.snapshot, pick(other.commit + 1));
  }

  std::mt19937_64 random_;
  std::vector<Node> nodes_;
  std::size_t leader_ = 0;
  std::uint64_t term_ = 0;
};

Evidence evidence_of(const Node& node, std::uint64_t id, std::uint64_t applied) {
  Evidence out;
  SegmentFacts segment;
  segment.records = 3;
  segment.name.first_index = raft::Index(node.snapshot > 0 ? node.snapshot + 1 : 0);
  out.segments.push_back(segment);
  out.identity = wal::Identity{raft::NodeId(id), 77};
  for (std::uint64_t i = node.snapshot + 1; i <= node.terms.size(); ++i)
    out.entries.put(raft::Index(i), raft::Term(node.terms[i - 1]));
  out.state = out.last_state = {raft::Term(node.term), raft::kNoNode, raft::Index(node.commit)};
  if (node.snapshot > 0) {
    const raft::SnapshotMark mark{raft::Index(node.snapshot),
                                  raft::Term(node.terms[node.snapshot - 1])};
    out.marks.push_back(mark);
    out.snaps.push_back({.name = "s", .mark = mark, .readable = true});
  }
  out.has_snap_dir = out.has_db = true;
  out.db.emplace();
  out.db->consistent_index = std::max(applied, node.snapshot);
  return out;
}

}  // namespace

TEST_CASE("survey: the first choice holds every entry that any survivor knows to be committed") {
  std::uint64_t chosen = 0;
  std::uint64_t warned = 0;
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    History history(seed, seed % 2 == 0 ? 3 : 5);
    const auto& nodes = history.nodes();
    std::vector<Survivor> survivors;
    std::vector<const Node*> left;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (history.pick(3) == 0) continue;
      left.push_back(&nodes[i]);
      survivors.push_back(survivor_of(
          std::to_string(i), evidence_of(nodes[i], i + 1, history.pick(nodes[i].commit + 1))));
    }
    if (survivors.empty()) continue;
    REQUIRE(rank(survivors).has_value());
    const Node* most = *std::ranges::max_element(left, {}, &Node::commit);
    const Node& first = nodes[std::stoul(survivors.front().dir)];
    REQUIRE_MESSAGE(first.terms.size() >= most->commit, "seed ", seed);
    CHECK_MESSAGE(std::ranges::equal(std::span(first.terms).first(most->commit),
                                     std::span(most->terms).first(most->commit)),
                  "seed ", seed);
    ++chosen;
    for (const Survivor& s : survivors) {
      const bool lacks = nodes[std::stoul(s.dir)].terms.size() < most->commit;
      const bool says = s.loses.find("known to be committed") != std::string::npos;
      CHECK_MESSAGE((!lacks || says), "seed ", seed, ": ", s.loses);
      warned += lacks;
    }
  }
  CHECK(chosen > 900);
  CHECK(warned > 50);
}

TEST_CASE("survey: a member that has everything in a snapshot is not ranked behind") {
  Node joined{.terms = {1, 1, 2, 2}, .commit = 4, .snapshot = 4, .term = 2};
  Node behind{.terms = {1, 1, 2}, .commit = 2, .snapshot = 0, .term = 2};
  std::vector<Survivor> both{survivor_of("behind", evidence_of(behind, 1, 1)),
                             survivor_of("joined", evidence_of(joined, 2, 4))};
  REQUIRE(rank(both).has_value());
  CHECK(both.front().dir == "joined");
  CHECK(both.front().last_term == raft::Term(2));
}

TEST_CASE("survey: directories of two clusters, or one member twice, are refused") {
  const Node node{.terms = {1}, .commit = 1, .snapshot = 0, .term = 1};
  std::vector<Survivor> twice{survivor_of("a", evidence_of(node, 1, 1)),
                              survivor_of("b", evidence_of(node, 1, 1))};
  CHECK(rank(twice).error().code == Code::kInvalidArgument);
  twice[1].node_id = raft::NodeId(2);
  twice[1].cluster_id = 78;
  CHECK(rank(twice).error().code == Code::kInvalidArgument);
}
