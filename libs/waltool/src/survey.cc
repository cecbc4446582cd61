#include "truss/waltool/survey.h"

#include <algorithm>
#include <tuple>

namespace truss::waltool {
namespace {

using raft::Index;

std::string number(Index index) { return std::to_string(index.value()); }

/// Entries (from, to] as words.
std::string entries_text(Index from, Index to) {
  return "entries " + number(from + 1) + " to " + number(to);
}

/// Term of an entry, which may be in a snapshot only; 0 if nothing tells.
raft::Term term_of(const Evidence& e, const Judgement& judgement, Index index) {
  const auto* run = e.entries.find(index);
  if (run && run->term != raft::Term(0)) return run->term;
  for (const auto& mark : e.marks)
    if (mark.index == index) return mark.term;
  for (const SnapFacts& snap : e.snaps)
    if (snap.readable && snap.mark.index == index) return snap.mark.term;
  const auto& applied = judgement.applied;
  return applied && applied->index == index ? applied->term : raft::Term(0);
}

}  // namespace

Survivor survivor_of(std::string dir, const Evidence& e) {
  const Judgement judgement = judge(e);
  Survivor out;
  out.dir = std::move(dir);
  if (e.identity) {
    out.node_id = e.identity->node_id;
    out.cluster_id = e.identity->cluster_id;
  }
  out.verdict = judgement.verdict;
  out.term = e.state.term;
  out.commit = judgement.committed;
  if (e.db) {
    out.consistent_index = e.db->consistent_index;
    out.revision = e.db->revision;
    out.members = e.db->members;
  } else if (!e.snaps.empty()) {
    out.members = e.snaps.front().members;
  }
  const Index first = e.entries.first();
  Index from = first > Index(0) ? first - 1 : Index(0);
  // What the db has applied needs no log.
  from = std::max(from, Index(out.consistent_index));
  out.usable_last = std::max(e.entries.good_through(from), from);
  out.last_term = term_of(e, judgement, out.usable_last);
  return out;
}

Result<> rank(std::vector<Survivor>& survivors) {
  for (const Survivor& s : survivors) {
    if (s.cluster_id != survivors.front().cluster_id)
      return fail(Code::kInvalidArgument,
                  s.dir + " and " + survivors.front().dir + " are of different clusters");
    for (const Survivor& other : survivors) {
      if (&other != &s && other.node_id == s.node_id)
        return fail(Code::kInvalidArgument, s.dir + " and " + other.dir + " are of one member");
    }
  }
  std::ranges::sort(survivors, [](const Survivor& a, const Survivor& b) {
    return std::tie(a.last_term, a.usable_last, a.consistent_index) >
           std::tie(b.last_term, b.usable_last, b.consistent_index);
  });
  Index committed{};
  for (const Survivor& s : survivors) committed = std::max(committed, s.commit);
  for (Survivor& s : survivors) {
    s.loses = committed > s.usable_last
                  ? entries_text(s.usable_last, committed) + ", known to be committed"
                  : "nothing that any of them knows to be committed";
    const Index longest = survivors.front().usable_last;
    if (longest > std::max(s.usable_last, committed))
      s.loses += "; " + entries_text(std::max(s.usable_last, committed), longest) +
                 ", which may have been";
  }
  return {};
}

}  // namespace truss::waltool
