#include "truss/waltool/judge.h"

#include <algorithm>
#include <array>

namespace truss::waltool {
namespace {

using raft::Index;
using raft::SnapshotMark;
using raft::Term;

std::string number(auto strong) { return std::to_string(strong.value()); }

std::string text(const IndexRange& range) {
  return range.first == range.last ? "entry " + number(range.first)
                                   : "entries " + number(range.first) + " to " + number(range.last);
}

class Judge {
 public:
  explicit Judge(const Evidence& evidence) : e_(evidence) {}

  Judgement run() {
    if (e_.db) applied_ = Index(e_.db->consistent_index);
    for (const Index received : e_.received_dbs) applied_ = std::max(applied_, received);
    choose_snapshot();
    find_committed();
    out_.needed = std::max(out_.committed, e_.synced_through);
    sort_missing();
    decide();
    plan();
    if (const auto term = term_of(applied_); e_.db && term)
      out_.applied = SnapshotMark{applied_, *term};
    note_exclusions();
    return std::move(out_);
  }

 private:
  /// The newest snapshot that a start could build on.
  void choose_snapshot() {
    for (const SnapFacts& snap : e_.snaps) {
      if (!snap.readable || (e_.db && snap.mark.index > applied_)) continue;
      snap_ = &snap;
      return;
    }
  }

  Index snapshot_index() const { return snap_ ? snap_->mark.index : Index(0); }
  /// Last entry that the log need not have, its first segment beginning behind it.
  Index purged() const { return std::max(e_.segments.front().name.first_index, Index(1)) - 1; }

  void prove(Index index, const char* by) {
    if (index <= out_.committed) return;
    out_.committed = index;
    out_.committed_by = by;
  }

  void find_committed() {
    prove(e_.state.commit, "hard state");
    for (const SnapshotMark& mark : e_.marks) prove(mark.index, "snapshot record");
    for (const SnapFacts& snap : e_.snaps)
      if (snap.readable) prove(snap.mark.index, ".snap");
    if (e_.db) prove(Index(e_.db->consistent_index), "db");
  }

  /// Members by the snapshot and the readable changes behind it, as of the db.
  MemberIds expected_members() const {
    MemberIds out = snap_ ? snap_->members : MemberIds();
    for (const auto& [index, change] : e_.conf_changes) {
      if (index <= snapshot_index() || index > applied_) continue;
      const std::uint64_t id = change.node_id.value();
      switch (change.type) {
        case raft::ConfChangeType::kAddNode:
          out[id] = false;
          break;
        case raft::ConfChangeType::kAddLearnerNode:
          out[id] = true;
          break;
        case raft::ConfChangeType::kRemoveNode:
          out.erase(id);
          break;
        case raft::ConfChangeType::kUpdateNode:
          break;
      }
    }
    return out;
  }

  bool damaged_conf_change(const IndexRange& range) const {
    for (const Fault& fault : e_.faults) {
      for (const Suspect& suspect : fault.suspects) {
        if (suspect.conf_change && suspect.index >= range.first && suspect.index <= range.last)
          return true;
      }
    }
    return false;
  }

  /// What the log should hold and does not: what the db has, and what is lost.
  void sort_missing() {
    Index low = purged();
    // Without the snapshot that the purged entries were in, they are missing too.
    if (e_.has_snap_dir && e_.db) low = std::min(low, snapshot_index());
    if (out_.needed <= low) return;
    // A bare log can't tell what became of the snapshots it names.
    Index brought = out_.needed;
    if (e_.has_snap_dir) brought = e_.db ? std::min(snapshot_index(), applied_) : snapshot_index();
    const bool same_members = e_.db && expected_members() == e_.db->members;
    for (const IndexRange& range : e_.entries.not_good({low + 1, out_.needed}, brought)) {
      split(range, same_members);
    }
  }

  void split(const IndexRange& range, bool same_members) {
    // Up to here the db has the effects of entries, whatever they were.
    const bool members_known =
        same_members &&
        !damaged_conf_change({std::max(range.first, snapshot_index() + 1), range.last});
    const Index through =
        std::min(range.last, members_known ? applied_ : std::min(applied_, snapshot_index()));
    if (through >= range.first) out_.covered.push_back({range.first, through});
    if (through >= range.last) return;
    const IndexRange lost{std::max(range.first, through + 1), range.last};
    out_.lost.push_back(lost);
    if (lost.first <= applied_ && e_.db && !members_known) {
      out_.why.push_back(
          text({lost.first, std::min(lost.last, applied_)}) +
          ": the db has applied them, but a membership change may be among them, and "
          "no .snap covers them");
    }
  }

  bool last_segment_headless() const { return e_.segments.back().records == 0; }

  void decide() {
    const bool gave_up = std::ranges::any_of(e_.faults, &Fault::gave_up);
    const bool missing = !out_.lost.empty() || !out_.covered.empty();
    if (!e_.identity) {
      unknown("no METADATA record is readable: whose log it is can't be told");
    } else if (last_segment_headless()) {
      unknown(
          "the last segment has lost its head, which had been synced: what else it held can't "
          "be told");
    } else if (gave_up) {
      unknown("the search for records behind the damage was given up");
    } else if (missing && e_.has_db && !e_.db) {
      unknown("the db can't be read, so it can't be told what it covers: " + e_.db_error);
    } else if (!out_.lost.empty()) {
      out_.verdict = Verdict::kLost;
    } else if (!out_.covered.empty()) {
      out_.verdict = Verdict::kCovered;
    } else {
      out_.verdict = e_.faults.empty() ? Verdict::kClean : Verdict::kSafeTrim;
    }
    explain();
  }

  void unknown(std::string why) {
    out_.verdict = Verdict::kUnknown;
    out_.why.push_back(std::move(why));
  }

  void explain() {
    if (out_.committed > Index(0))
      out_.why.push_back("committed up to entry " + number(out_.committed) + ", by the " +
                         out_.committed_by);
    if (e_.synced_through > out_.committed)
      out_.why.push_back("synced up to entry " + number(e_.synced_through) +
                         ": a later save follows the damage");
    for (const IndexRange& range : out_.covered)
      out_.why.push_back(text(range) + ": not in the log, but in the db, which has applied up to " +
                         number(applied_));
    for (const IndexRange& range : out_.lost) out_.why.push_back(text(range) + ": lost");
  }

  void plan() {
    RepairPlan& plan = out_.repair;
    if (out_.verdict == Verdict::kClean) {
      plan.last = e_.entries.last();
      return;
    }
    plan.kind = RepairKind::kRefused;
    if (out_.verdict == Verdict::kSafeTrim && plan_trim()) return;
    if (out_.verdict == Verdict::kSafeTrim || out_.verdict == Verdict::kCovered) plan_rebuild();
  }

  bool plan_trim() {
    if (e_.faults.size() != 1) return false;
    const Fault& fault = e_.faults.front();
    if (fault.segment + 1 != e_.segments.size() || fault.resumed) return false;
    out_.repair.kind = RepairKind::kTrim;
    out_.repair.trim_offset = fault.begin;
    out_.repair.last = e_.entries.last();
    return true;
  }

  void plan_rebuild() {
    RepairPlan& plan = out_.repair;
    const auto base = rebuild_base();
    if (!base) {
      out_.why.push_back("no repair: the term of entry " + number(applied_) +
                         ", from which a new log would have to go on, can't be told");
      return;
    }
    plan.kind = RepairKind::kRebuild;
    plan.base = *base;
    plan.new_snapshot = base->index > Index(0) && !has_snap(*base);
    plan.last = e_.entries.good_through(base->index);
    const Index end = e_.entries.last();
    if (end > plan.last) {
      for (const auto& run : e_.entries.runs()) {
        if (run.kind == EntryKind::kGood && run.range.last > plan.last)
          plan.given_up.push_back({std::max(run.range.first, plan.last + 1), run.range.last});
      }
    }
  }

  bool has_snap(const SnapshotMark& mark) const {
    return std::ranges::any_of(e_.snaps,
                               [&](const SnapFacts& s) { return s.readable && s.mark == mark; });
  }

  /// The newest place from which every needed entry is there.
  std::optional<SnapshotMark> rebuild_base() const {
    const auto whole_from = [&](Index from) {
      return from >= out_.needed || e_.entries.not_good({from + 1, out_.needed}).empty();
    };
    if (snap_ && whole_from(snapshot_index())) return snap_->mark;
    if (!snap_ && whole_from(Index(0))) return SnapshotMark{};
    if (!e_.db) {
      for (auto it = e_.marks.rbegin(); it != e_.marks.rend(); ++it)
        if (whole_from(it->index)) return *it;
      return std::nullopt;
    }
    if (!whole_from(applied_)) return std::nullopt;
    const auto term = term_of(applied_);
    return term ? std::optional(SnapshotMark{applied_, *term}) : std::nullopt;
  }

  std::optional<Term> term_of(Index index) const {
    const auto* run = e_.entries.find(index);
    if (run && (run->kind == EntryKind::kGood || run->kind == EntryKind::kUnverified))
      return run->term;
    for (const SnapshotMark& mark : e_.marks)
      if (mark.index == index) return mark.term;
    if (e_.db && e_.db->term != 0 && applied_ == index) return Term(e_.db->term);
    // Terms never go back: between two entries of one term lies no other.
    const EntryRuns::Run* before = nullptr;
    const EntryRuns::Run* after = nullptr;
    for (const auto& other : e_.entries.runs()) {
      if (other.kind != EntryKind::kGood) continue;
      if (other.range.last < index) before = &other;
      if (other.range.first > index && !after) after = &other;
    }
    if (before && after && before->term == after->term) return before->term;
    if (before && !after && before->term == e_.state.term) return before->term;
    return std::nullopt;
  }

  void note_exclusions() {
    for (const Fault& fault : e_.faults) {
      if (fault.segment + 1 != e_.segments.size() || fault.resumed) continue;
      out_.cannot_exclude.push_back(
          "entries above " + number(e_.entries.last()) +
          ", a vote or a term may have stood in the damaged end of the log: if it was synced "
          "before "
          "it was damaged, this member has promised what it no longer knows");
    }
    if (e_.faults.empty())
      out_.cannot_exclude.push_back("records cut off exactly behind the last one leave no trace");
    for (const IndexRange& range : e_.entries.not_good({e_.entries.first(), e_.entries.last()})) {
      if (range.last <= out_.needed) continue;
      out_.cannot_exclude.push_back(text({std::max(range.first, out_.needed + 1), range.last}) +
                                    " may have been committed: they are damaged, and nothing shows "
                                    "that they were");
    }
    if (!e_.has_db) out_.cannot_exclude.push_back("no db lies beside the log to compare with");
  }

  const Evidence& e_;
  Judgement out_;
  const SnapFacts* snap_ = nullptr;
  Index applied_{};
};

}  // namespace

std::string verdict_name(Verdict verdict) {
  constexpr std::array kNames = {"CLEAN", "SAFE-TRIM", "COVERED", "LOST", "UNKNOWN"};
  return kNames.at(static_cast<std::size_t>(verdict));
}

int verdict_exit_code(Verdict verdict) {
  return verdict == Verdict::kClean ? 0 : 9 + static_cast<int>(verdict);
}

Judgement judge(const Evidence& evidence) { return Judge(evidence).run(); }

}  // namespace truss::waltool
