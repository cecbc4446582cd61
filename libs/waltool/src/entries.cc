#include "truss/waltool/entries.h"

#include <algorithm>

#include "frame.h"
#include "truss/raft/codec.h"
#include "truss/waltool/scan.h"

namespace truss::waltool {
namespace {

using raft::Index;

/// Entry number `record` of the log cut it back to before `index`.
struct Cut {
  std::uint64_t record = 0;
  Index index;
};

struct FirstPass {
  std::vector<Cut> cuts;
  Index commit{};
  Index last{};
  std::uint64_t entries = 0;

  void add(const ScannedRecord& scanned) {
    if (scanned.record.type == wal::RecordType::kState) {
      if (const auto state = raft::decode_hard_state(scanned.record.data))
        commit = std::max(commit, state->commit);
    }
    if (scanned.record.type != wal::RecordType::kEntry) return;
    const auto entry = peek_entry(scanned.record.data);
    if (!entry) return;
    if (entry->head.index <= last) cuts.push_back({entries, entry->head.index});
    last = entry->head.index;
    ++entries;
  }

  /// Each cut takes what the later ones take too.
  void close() {
    for (std::size_t i = cuts.size(); i-- > 1;)
      cuts[i - 1].index = std::min(cuts[i - 1].index, cuts[i].index);
  }
};

}  // namespace

Result<> each_entry(FileSystem& fs, const DataDir& dir,
                    const std::function<bool(const LogEntry&)>& visit) {
  TRUSS_ASSIGN(const auto names, segments_of(fs, dir.wal));
  return each_entry_of(fs, dir, names, visit);
}

Result<> each_entry_of(FileSystem& fs, const DataDir& dir,
                       const std::vector<wal::SegmentName>& names,
                       const std::function<bool(const LogEntry&)>& visit) {
  FirstPass first;
  TRUSS_TRY(scan(fs, dir.wal, names,
                 {[&](const ScannedRecord& r) { first.add(r); }, [](const Fault&) {}, {}}));
  first.close();
  std::uint64_t number = 0;
  std::size_t next_cut = 0;
  bool going = true;
  const auto take = [&](const ScannedRecord& scanned) {
    if (!going || scanned.record.type != wal::RecordType::kEntry) return;
    const auto entry = peek_entry(scanned.record.data);
    if (!entry) return;
    while (next_cut < first.cuts.size() && first.cuts[next_cut].record <= number) ++next_cut;
    ++number;
    const auto& head = entry->head;
    if (next_cut < first.cuts.size() && first.cuts[next_cut].index <= head.index) return;
    going = visit({head.index, head.term, head.type, entry->data, head.index <= first.commit});
  };
  TRUSS_TRY(scan(fs, dir.wal, names, {take, [](const Fault&) {}, {}}));
  return {};
}

Result<> Follower::poll(const std::function<bool(const LogEntry&)>& visit) {
  TRUSS_ASSIGN(const auto names, segments_of(fs_, dir_.wal));
  if (!started_) sequence_ = names.back().sequence;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].sequence != sequence_) continue;
    TRUSS_ASSIGN(const auto file, fs_.open(join_path(dir_.wal, names[i].file_name()), {}));
    TRUSS_ASSIGN(const std::uint64_t size, file->size());
    FileWindow window(*file, size, kWindowBytes);
    for (;;) {
      TRUSS_ASSIGN(const FrameOrNot at, read_frame(window, offset_));
      // Half written, or the end so far.
      if (!at.frame) break;
      const auto& record = at.frame->record;
      const bool head = offset_ == 0 && record.type == wal::RecordType::kCrc;
      if (!head && record.crc != crc_after(record, crc_)) break;
      crc_ = record.crc;
      offset_ = at.frame->end;
      if (record.type == wal::RecordType::kState) {
        if (const auto state = raft::decode_hard_state(record.data)) commit_ = state->commit;
      }
      if (record.type != wal::RecordType::kEntry) continue;
      const auto entry = peek_entry(record.data);
      if (!entry) continue;
      const auto& e = entry->head;
      if (!visit({e.index, e.term, e.type, entry->data, e.index <= commit_})) return {};
    }
    started_ = true;
    if (i + 1 == names.size()) return {};
    // A finished segment is as long as its records.
    if (offset_ < size) return {};
    sequence_ = names[i + 1].sequence;
    offset_ = 0;
  }
  return {};
}

}  // namespace truss::waltool
