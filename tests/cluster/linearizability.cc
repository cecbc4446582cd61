#include "linearizability.h"

#include <algorithm>
#include <map>
#include <unordered_set>

#include "register_search.h"

namespace truss::cluster {
namespace {

bool writes(const Operation& op) {
  if (op.kind == Kind::kGet) return false;
  return op.kind == Kind::kPut || op.applied;
}

bool told_revision(const Operation& op) {
  return op.outcome == Outcome::kOk && writes(op) && op.revision > 0;
}

/// Distinct revisions, in real time's order, over all keys. Empty if so.
std::string check_revisions(const History& history) {
  std::vector<const Operation*> by_start;
  for (const Operation& op : history) {
    if (told_revision(op)) by_start.push_back(&op);
  }
  std::vector<const Operation*> by_end = by_start;
  std::sort(by_start.begin(), by_start.end(),
            [](const auto* a, const auto* b) { return a->start_ns < b->start_ns; });
  std::sort(by_end.begin(), by_end.end(),
            [](const auto* a, const auto* b) { return a->end_ns < b->end_ns; });
  std::unordered_set<std::int64_t> seen;
  const Operation* latest = nullptr;  // of those that ended before the one at hand started
  auto ended = by_end.begin();
  for (const Operation* op : by_start) {
    for (; ended != by_end.end() && (*ended)->end_ns < op->start_ns; ++ended) {
      if (latest == nullptr || (*ended)->revision > latest->revision) latest = *ended;
    }
    if (latest != nullptr && latest->revision > op->revision) {
      return "revisions against real time: " + describe(*latest) + " ended before " + describe(*op);
    }
    if (!seen.insert(op->revision).second) return "a revision given twice: " + describe(*op);
  }
  return {};
}

}  // namespace

Verdict check_linearizable(const History& history, const CheckOptions& options) {
  Verdict verdict;
  verdict.complaint = check_revisions(history);
  std::map<std::string, std::vector<const Operation*>> keys;
  for (const Operation& op : history) {
    const bool unknown = op.outcome == Outcome::kUnknown;
    if (unknown && op.kind == Kind::kGet) continue;
    verdict.unknown += unknown;
    keys[op.key].push_back(&op);
  }
  for (auto& [key, operations] : keys) {
    if (!verdict.complaint.empty()) break;
    RegisterSearch search(std::move(operations), options.most_steps);
    verdict.complaint = search.run();
    verdict.steps += search.steps();
  }
  verdict.linearizable = verdict.complaint.empty();
  return verdict;
}

}  // namespace truss::cluster
