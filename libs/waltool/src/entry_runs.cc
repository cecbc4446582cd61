#include "truss/waltool/entry_runs.h"

#include <algorithm>

namespace truss::waltool {

using raft::Index;
using raft::Term;

Index EntryRuns::first() const { return runs_.empty() ? Index(0) : runs_.front().range.first; }
Index EntryRuns::last() const { return runs_.empty() ? Index(0) : runs_.back().range.last; }

void EntryRuns::append(Run run) {
  if (!runs_.empty()) {
    Run& back = runs_.back();
    if (back.kind == run.kind && back.term == run.term) {
      back.range.last = run.range.last;
      return;
    }
  }
  runs_.push_back(run);
}

void EntryRuns::truncate(Index from) {
  while (!runs_.empty() && runs_.back().range.first >= from) runs_.pop_back();
  if (!runs_.empty() && runs_.back().range.last >= from) runs_.back().range.last = from - 1;
}

void EntryRuns::put(Index index, Term term, EntryKind kind) {
  if (index <= last()) truncate(index);
  if (!runs_.empty()) extend(index - 1, EntryKind::kMissing);
  append({{index, index}, term, kind});
}

void EntryRuns::extend(Index index, EntryKind kind) {
  if (index <= last()) return;
  append({{last() + 1, index}, Term(0), kind});
}

void EntryRuns::doubt(IndexRange range) {
  std::vector<Run> out;
  for (const Run& run : runs_) {
    const Index first = std::max(run.range.first, range.first);
    const Index last = std::min(run.range.last, range.last);
    if (run.kind != EntryKind::kGood || first > last) {
      out.push_back(run);
      continue;
    }
    if (run.range.first < first) out.push_back({{run.range.first, first - 1}, run.term, run.kind});
    out.push_back({{first, last}, run.term, EntryKind::kUnverified});
    if (last < run.range.last) out.push_back({{last + 1, run.range.last}, run.term, run.kind});
  }
  runs_ = std::move(out);
}

const EntryRuns::Run* EntryRuns::find(Index index) const {
  const auto it =
      std::ranges::lower_bound(runs_, index, {}, [](const Run& r) { return r.range.last; });
  return it != runs_.end() && it->range.first <= index ? &*it : nullptr;
}

std::vector<IndexRange> EntryRuns::not_good(IndexRange range, Index snapshot) const {
  std::vector<IndexRange> out;
  const auto add = [&](Index first, Index last) {
    if (first > last) return;
    if (!out.empty() && out.back().last + 1 == first) {
      out.back().last = last;
    } else {
      out.push_back({first, last});
    }
  };
  Index next = range.first;
  for (const Run& run : runs_) {
    if (run.range.last < next || run.range.first > range.last) continue;
    const Index begin = std::max(run.range.first, next);
    const Index end = std::min(run.range.last, range.last);
    if (begin > next) add(next, begin - 1);
    const bool brought = run.kind == EntryKind::kInSnapshot && run.range.last <= snapshot;
    if (run.kind != EntryKind::kGood && !brought) add(begin, end);
    next = end + 1;
  }
  add(next, range.last);
  return out;
}

Index EntryRuns::good_through(Index after) const {
  Index at = after;
  for (const Run& run : runs_) {
    if (run.range.last <= at) continue;
    if (run.range.first > at + 1 || run.kind != EntryKind::kGood) break;
    at = run.range.last;
  }
  return at;
}

}  // namespace truss::waltool
