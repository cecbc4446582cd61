#include "truss/waltool/evidence.h"

#include <algorithm>

#include "frame.h"
#include "truss/raft/codec.h"
#include "truss/snap/snap_file.h"

namespace truss::waltool {
namespace {

using raft::Index;
using raft::Term;
using wal::RecordType;

// No record with an entry takes less.
constexpr std::uint64_t kMinEntryBytes = 24;

/// A place where entries may have been, until the next entry tells.
struct Hole {
  Index last_before{};
  Term term_before{};
  Index commit_before{};
  Term state_term_before{};
  bool one_frame = false;  ///< it held one record at most
  bool boundary = false;   ///< at the end of a segment that had been finished
  std::uint64_t bytes = 0;
};

/// Folds a scan into Evidence.
class Folder {
 public:
  Folder(Evidence& out, const std::vector<wal::SegmentName>& names) : out_(out), names_(names) {}

  void add(const ScannedRecord& scanned) {
    enter(scanned.segment);
    later_save_ |= state_seen_;
    if (later_save_ && pending_sync_ != Index(0)) prove_synced(pending_sync_);
    const bool good = scanned.trust == Trust::kGood;
    switch (scanned.record.type) {
      case RecordType::kMetadata:
        if (auto identity = wal::decode_identity(scanned.record.data); identity && !out_.identity)
          out_.identity = *identity;
        break;
      case RecordType::kEntry:
        add_entry(scanned.record.data, good);
        break;
      case RecordType::kState:
        add_state(scanned.record.data, good);
        break;
      case RecordType::kSnapshot:
        add_mark(scanned.record.data, good);
        break;
      case RecordType::kCrc:
        break;
    }
  }

  void add(const Fault& fault) {
    enter(fault.segment);
    out_.faults.push_back(fault);
    state_seen_ = later_save_ = false;
    pending_sync_ = Index(0);
    if (fault.no_entries) return;
    const bool joint = fault.kind == FaultKind::kMissingSegment ||
                       fault.kind == FaultKind::kReorderedSegment ||
                       fault.kind == FaultKind::kBrokenChain;
    open_hole(fault);
    if (!joint) return;
    hole_->boundary = true;
    extend_by_name();
  }

  void finish() {
    accept_pending_state(
        Index(out_.entries.last().value() + (hole_ ? hole_->bytes / kMinEntryBytes : 0)));
  }

 private:
  void open_hole(const Fault& fault) {
    if (hole_) {
      hole_->one_frame = false;
      hole_->bytes += fault.end - fault.begin;
      return;
    }
    const bool one = fault.kind == FaultKind::kBitFlip || fault.kind == FaultKind::kBadType;
    const auto* run = out_.entries.find(out_.entries.last());
    Index last = out_.entries.last();
    if (last == Index(0)) last = std::max(names_.front().first_index, Index(1)) - 1;
    hole_ = Hole{.last_before = last,
                 .term_before = run ? run->term : Term(0),
                 .commit_before = out_.state.commit,
                 .state_term_before = out_.state.term,
                 .one_frame = one && fault.resumed,
                 .bytes = fault.end - fault.begin};
  }

  void enter(std::size_t segment) {
    if (segment == segment_) return;
    segment_ = segment;
    if (!hole_) return;
    hole_->boundary = true;
    extend_by_name();
  }

  /// A segment's name says how far the one before went, and that had been synced.
  void extend_by_name() {
    const Index next = names_[segment_].first_index;
    if (next <= hole_->last_before + 1) return;
    if (out_.entries.last() != Index(0)) out_.entries.extend(next - 1, EntryKind::kMissing);
    prove_synced(next - 1);
  }

  /// Damaged entries up to `index`: whoever cuts a segment, or saves again, has synced them.
  void await_sync(Index index) {
    pending_sync_ = std::max(pending_sync_, index);
    if (segment_ + 1 < names_.size() || later_save_) prove_synced(pending_sync_);
  }

  void prove_synced(Index through) {
    out_.synced_through = std::max(out_.synced_through, through);
    pending_sync_ = Index(0);
  }

  void add_entry(ByteView data, bool good) {
    const auto entry = peek_entry(data);
    if (!entry) return;
    const auto& head = entry->head;
    if (good) accept_pending_state(head.index - 1);
    if (hole_) close_hole(head);
    out_.entries.put(head.index, head.term, good ? EntryKind::kGood : EntryKind::kUnverified);
    if (!good) await_sync(head.index);
    ++out_.entry_records;
    out_.entry_bytes += entry->data.size();
    while (!out_.conf_changes.empty() && out_.conf_changes.back().index >= head.index)
      out_.conf_changes.pop_back();
    if (!good || head.type != raft::EntryType::kConfChange) return;
    if (auto change = raft::decode_conf_change(entry->data))
      out_.conf_changes.push_back({head.index, *std::move(change)});
  }

  /// The first entry behind a hole tells what the hole held.
  void close_hole(const EntryHead& head) {
    const Hole hole = *hole_;
    hole_.reset();
    if (head.index > hole.last_before + 1) {
      await_sync(head.index - 1);
      if (hole.boundary) prove_synced(head.index - 1);
    }
    // In a new term the hole may have held entries that took the place of uncommitted ones.
    if (head.term <= hole.term_before) return;
    if (hole.one_frame && head.index > hole.last_before + 1) return;
    const Index from = hole.one_frame ? std::max(hole.commit_before + 1, hole.last_before)
                                      : hole.commit_before + 1;
    out_.entries.doubt({from, std::min(hole.last_before, head.index - 1)});
  }

  void add_state(ByteView data, bool good) {
    const auto state = raft::decode_hard_state(data);
    if (!state) return;
    state_seen_ = true;
    if (!good) {
      pending_state_ = *state;
      return;
    }
    accept_pending_state(state->commit);
    if (hole_ && state->term > hole_->state_term_before && state->term > hole_->term_before &&
        !hole_->one_frame) {
      out_.entries.doubt({hole_->commit_before + 1, hole_->last_before});
    }
    take_state(*state);
  }

  void take_state(const raft::HardState& state) {
    out_.last_state = state;
    if (state.term >= out_.state.term) {
      const bool same = state.term == out_.state.term;
      if (!same || state.vote != raft::kNoNode) out_.state.vote = state.vote;
      out_.state.term = state.term;
    }
    out_.state.commit = std::max(out_.state.commit, state.commit);
  }

  /// A hard state that no CRC vouches for counts if it commits nothing beyond `bound`.
  void accept_pending_state(Index bound) {
    if (pending_state_ && pending_state_->commit <= bound) take_state(*pending_state_);
    pending_state_.reset();
  }

  void add_mark(ByteView data, bool good) {
    const auto record = wal::decode_snapshot_record(data);
    if (!record || !good) return;
    out_.marks.push_back(record->mark);
    if (record->mark.index > out_.entries.last() && !hole_)
      out_.entries.extend(record->mark.index, EntryKind::kInSnapshot);
  }

  Evidence& out_;
  const std::vector<wal::SegmentName>& names_;
  std::size_t segment_ = 0;
  std::optional<Hole> hole_;
  std::optional<raft::HardState> pending_state_;
  bool state_seen_ = false;  // behind the last fault
  bool later_save_ = false;
  Index pending_sync_{};
};

/// The order in which each segment goes on where another ends, if there is one that is not the
/// present one.
std::optional<std::vector<wal::SegmentName>> chained_order(const std::vector<SegmentFacts>& facts) {
  std::vector<bool> used(facts.size());
  std::vector<wal::SegmentName> out;
  std::size_t at = facts.size();
  for (std::size_t i = 0; i < facts.size(); ++i) {
    if (!facts[i].has_head) return std::nullopt;
    const bool follows = std::ranges::any_of(facts, [&](const SegmentFacts& f) {
      return &f != &facts[i] && f.end_crc == facts[i].start_crc;
    });
    if (!follows && at != facts.size()) return std::nullopt;
    if (!follows) at = i;
  }
  while (at != facts.size()) {
    used[at] = true;
    out.push_back(facts[at].name);
    std::size_t next = facts.size();
    for (std::size_t i = 0; i < facts.size(); ++i) {
      if (!used[i] && facts[i].start_crc == facts[at].end_crc) next = i;
    }
    at = next;
  }
  if (out.size() != facts.size()) return std::nullopt;
  const bool same = std::ranges::equal(out, facts, {}, {}, &SegmentFacts::name);
  return same ? std::nullopt : std::optional(out);
}

Result<> read_log(FileSystem& fs, const std::string& dir,
                  const std::vector<wal::SegmentName>& names,
                  const std::function<void(std::uint64_t)>& progress, Evidence& out) {
  Folder folder(out, names);
  const ScanSink sink{[&](const ScannedRecord& r) { folder.add(r); },
                      [&](const Fault& f) { folder.add(f); }, progress};
  TRUSS_ASSIGN(out.segments, scan(fs, dir, names, sink));
  folder.finish();
  return {};
}

}  // namespace

std::uint64_t Evidence::bytes() const {
  std::uint64_t sum = 0;
  for (const SegmentFacts& segment : segments) sum += segment.file_bytes;
  return sum;
}

Result<Evidence> gather(FileSystem& fs, const DataDir& dir,
                        const std::function<void(std::uint64_t)>& progress) {
  Evidence out;
  TRUSS_ASSIGN(const auto names, segments_of(fs, dir.wal));
  TRUSS_TRY(read_log(fs, dir.wal, names, progress, out));
  if (const auto order = out.faults.empty() ? std::nullopt : chained_order(out.segments)) {
    Evidence again;
    TRUSS_TRY(read_log(fs, dir.wal, *order, progress, again));
    out = std::move(again);
  }
  out.has_snap_dir = !dir.snap.empty();
  if (out.has_snap_dir) {
    TRUSS_ASSIGN(out.snaps, read_snaps(fs, dir.snap));
    TRUSS_ASSIGN(const auto files, fs.list(dir.snap));
    for (const std::string& name : files) {
      if (const auto index = snap::parse_snap_db_file_name(name))
        out.received_dbs.push_back(*index);
    }
  }
  out.has_db = !dir.db.empty();
  if (!out.has_db) return out;
  auto db = read_db(fs, dir.db);
  if (db) {
    out.db = *std::move(db);
  } else {
    out.db_error = db.error().message;
  }
  return out;
}

}  // namespace truss::waltool
