#include "segment_scan.h"

#include <algorithm>
#include <cstdio>

#include "truss/common/coding.h"

namespace truss::waltool {
namespace {

constexpr std::uint64_t kAlignment = 8;
// No record of etcd's is larger; a larger length in a search is chance.
constexpr std::uint64_t kMaxSearchedRecordBytes = 16 << 20;
// A file made to make the search slow ends it.
constexpr std::uint64_t kSearchBudgetBytes = std::uint64_t{4} << 30;
constexpr std::uint64_t kProgressBytes = 4 << 20;

bool known(wal::RecordType type) {
  return type >= wal::RecordType::kMetadata && type <= wal::RecordType::kSnapshot;
}

std::string hex32(std::uint32_t value) {
  char text[9];
  std::snprintf(text, sizeof text, "%08x", value);
  return text;
}

std::string detail_of(const FrameOrNot& at, std::uint32_t computed) {
  if (at.frame) {
    return "a record of type " + wal::type_name(at.frame->record.type) + " has CRC " +
           hex32(at.frame->record.crc) + ", its bytes give " + hex32(computed);
  }
  switch (at.why) {
    case NoFrame::kZeroLength:
      return "zeros, though records follow";
    case NoFrame::kCutShort:
      return "the file ends inside a record";
    case NoFrame::kTooLong:
      return "a record is longer than what is left of the file";
    default:
      return "no record";
  }
}

void add_suspect(const wal::Record& record, Fault& fault) {
  if (record.type != wal::RecordType::kEntry) return;
  const auto entry = peek_entry(record.data);
  if (!entry || entry->head.index == raft::Index(0)) return;
  fault.suspects.push_back({entry->head.index, entry->head.type != raft::EntryType::kNormal,
                            std::string(entry->data.substr(0, kMaxSuspectBytes))});
}

}  // namespace

SegmentScan::SegmentScan(File& file, std::size_t number, bool last, Sense& sense,
                         const ScanSink& sink, SegmentFacts& facts, std::uint64_t done_before)
    : window_(file, facts.file_bytes, kWindowBytes),
      number_(number),
      last_(last),
      sense_(sense),
      sink_(sink),
      facts_(facts),
      done_before_(done_before) {}

Result<> SegmentScan::read_head() {
  TRUSS_ASSIGN(const FrameOrNot first, read_frame(window_, 0));
  if (!first.frame || first.frame->record.type != wal::RecordType::kCrc ||
      !first.frame->record.data.empty()) {
    return {};
  }
  facts_.start_crc = crc_ = first.frame->record.crc;
  TRUSS_ASSIGN(const FrameOrNot second, read_frame(window_, first.frame->end));
  facts_.has_head = second.frame && second.frame->record.type == wal::RecordType::kMetadata &&
                    second.frame->record.crc == crc_after(second.frame->record, crc_);
  return {};
}

Result<> SegmentScan::read_rest() {
  for (;;) {
    TRUSS_ASSIGN(const bool more, step());
    if (!more) break;
    if (sink_.progress && offset_ - told_ >= kProgressBytes) {
      told_ = offset_;
      sink_.progress(done_before_ + offset_);
    }
  }
  facts_.end_crc = crc_;
  if (sink_.progress) sink_.progress(done_before_ + facts_.file_bytes);
  return {};
}

Result<bool> SegmentScan::step() {
  TRUSS_ASSIGN(const FrameOrNot at, read_frame(window_, offset_));
  if (!at.frame) {
    if (at.why == NoFrame::kEndOfFile) {
      if (position_ == 0) report_no_head(FaultKind::kCutShort, "the segment is empty");
      return false;
    }
    if (at.why == NoFrame::kZeroLength) return at_zero_length();
    return damage(at);
  }
  if (at.frame->record.crc != crc_after(at.frame->record, crc_)) return damage(at);
  take(*at.frame);
  return true;
}

void SegmentScan::take(const Frame& frame) {
  const raft::Index last = sense_.last_index();
  const bool anywhere = sense_.in_hole();
  const std::string wrong = sense_.take(frame.record, position_);
  if (!wrong.empty()) {
    Fault fault{.kind = FaultKind::kBadType, .begin = frame.offset, .end = frame.end};
    fault.detail = wrong + ", though its CRC is right";
    fault.resumed = true;
    add_suspect(frame.record, fault);
    sense_.hole();
    report(std::move(fault));
  } else {
    const bool entry = frame.record.type == wal::RecordType::kEntry;
    if (entry && !anywhere && sense_.last_index() > last + 1) {
      Fault gap{.kind = FaultKind::kMissingEntries, .begin = frame.offset, .end = frame.offset};
      gap.detail = "entry " + std::to_string(sense_.last_index().value()) + " follows entry " +
                   std::to_string(last.value());
      gap.resumed = true;
      report(std::move(gap));
    }
    emit(frame, Trust::kGood);
  }
  crc_ = frame.record.crc;
  offset_ = frame.end;
  ++position_;
}

void SegmentScan::report(Fault fault) {
  fault.segment = number_;
  sink_.fault(fault);
}

void SegmentScan::emit(const Frame& frame, Trust trust) {
  ++facts_.records;
  facts_.used_bytes = frame.end;
  if (frame.record.type == wal::RecordType::kEntry) {
    facts_.last_entry = sense_.last_index();
    if (facts_.first_entry == raft::Index(0)) facts_.first_entry = facts_.last_entry;
  }
  sink_.record({number_, frame.offset, trust, frame.record});
}

Result<std::uint64_t> SegmentScan::non_zero_from(std::uint64_t offset) {
  constexpr std::uint64_t kPiece = 64 << 10;
  while (offset < facts_.file_bytes) {
    TRUSS_ASSIGN(const ByteView piece, window_.at(offset, kPiece));
    if (piece.empty()) break;
    const std::size_t found = piece.find_first_not_of('\0');
    if (found != ByteView::npos) return offset + found;
    offset += piece.size();
  }
  return facts_.file_bytes;
}

Result<std::uint64_t> SegmentScan::end_of_data() {
  constexpr std::uint64_t kPiece = 64 << 10;
  std::uint64_t end = facts_.file_bytes;
  while (end > offset_) {
    const std::uint64_t begin = std::max(offset_, end - std::min(end, kPiece));
    TRUSS_ASSIGN(const ByteView piece, window_.at(begin, end - begin));
    const std::size_t found = piece.find_last_not_of('\0');
    if (found != ByteView::npos) return begin + found + 1;
    end = begin;
  }
  return offset_;
}

Result<bool> SegmentScan::at_zero_length() {
  TRUSS_ASSIGN(const std::uint64_t next, non_zero_from(offset_));
  if (next < facts_.file_bytes) return damage({{}, NoFrame::kZeroLength, 0});
  ended_in_zeros_ = true;
  if (facts_.records == 0) report_no_head(FaultKind::kZeroFill, "the segment is all zeros");
  return false;
}

void SegmentScan::report_no_head(FaultKind kind, const char* what) {
  Fault fault{.kind = kind, .begin = 0, .end = facts_.file_bytes};
  fault.detail = std::string(what) + ", though its head had been synced";
  report(std::move(fault));
  sense_.hole();
}

Result<bool> SegmentScan::damage(const FrameOrNot& at) {
  Fault fault{.begin = offset_, .end = at.end};
  const bool framed = at.frame.has_value();
  const std::uint32_t stored = framed ? at.frame->record.crc : 0;
  const std::uint32_t computed = framed ? crc_after(at.frame->record, crc_) : 0;
  const bool entry = framed && at.frame->record.type == wal::RecordType::kEntry;
  const bool known_type = framed && known(at.frame->record.type);
  fault.detail = detail_of(at, computed);
  if (framed) add_suspect(at.frame->record, fault);
  const FrameOrNot shape{{}, at.why, at.end};  // the views of `at` don't outlive the next read

  std::optional<Resume> resume;
  if (framed) {
    TRUSS_ASSIGN(resume, resume_behind(at.end, stored, computed));
  }
  // The last record of a finished segment: the next segment's head tells whether its CRC is right.
  const bool ends_segment = framed && !last_ && at.end == facts_.file_bytes;
  fault.no_entries =
      (resume || ends_segment) && known_type && (!entry || (resume && resume->damaged_is_good));
  if (!resume && !ends_segment) {
    TRUSS_ASSIGN(resume, search(fault));
  }
  fault.resumed = resume || ends_segment;
  if (resume || ends_segment) {
    fault.end = resume ? resume->offset : facts_.file_bytes;
  } else {
    TRUSS_ASSIGN(fault.end, end_of_data());
  }
  if (ends_segment) crc_ = stored;
  if (framed && (ends_segment || (resume && resume->verified))) {
    fault.kind = FaultKind::kBitFlip;
  } else {
    TRUSS_ASSIGN(fault.kind, kind_of(shape, fault));
  }
  if (resume && resume->damaged_is_good) {
    fault.detail += "; the next record proves the bytes, so it is the stored CRC that is wrong";
    fault.suspects.clear();
  }
  report(fault);
  if (!fault.no_entries) sense_.hole();
  if (!resume) return false;
  TRUSS_TRY(go_on(*resume));
  return true;
}

/// A whole frame with a wrong CRC: the record right behind it tells which part is wrong.
Result<std::optional<SegmentScan::Resume>> SegmentScan::resume_behind(std::uint64_t end,
                                                                      std::uint32_t stored,
                                                                      std::uint32_t computed) {
  TRUSS_ASSIGN(const bool by_stored, follows(end, stored));
  if (by_stored) return Resume{end, stored, true, false};
  TRUSS_ASSIGN(const bool by_computed, follows(end, computed));
  if (by_computed) return Resume{end, computed, true, true};
  return std::nullopt;
}

/// True if a record begins at `offset` that fits `crc` as the running CRC before it.
Result<bool> SegmentScan::follows(std::uint64_t offset, std::uint32_t crc) {
  TRUSS_ASSIGN(const FrameOrNot next, read_frame(window_, offset));
  return next.frame && known(next.frame->record.type) &&
         next.frame->record.crc == crc_after(next.frame->record, crc);
}

/// True if nothing but zeros lies behind the frame.
Result<bool> SegmentScan::ends_well(const Frame& frame) {
  TRUSS_ASSIGN(const std::uint64_t next, non_zero_from(frame.end));
  return next >= facts_.file_bytes;
}

/// The next two records that fit each other; at the end of the data one alone will do.
Result<std::optional<SegmentScan::Resume>> SegmentScan::search(Fault& fault) {
  TRUSS_ASSIGN(const std::uint64_t end, end_of_data());
  std::uint64_t budget = kSearchBudgetBytes;
  for (std::uint64_t at = offset_ + kAlignment; at + wal::kFrameHeaderBytes < end;
       at += kAlignment) {
    TRUSS_ASSIGN(const ByteView head, window_.at(at, wal::kFrameHeaderBytes));
    const auto field = load_le<std::uint64_t>(head.data());
    if (field == 0 || wal::parse_frame_length(field).record_bytes > kMaxSearchedRecordBytes)
      continue;
    TRUSS_ASSIGN(const FrameOrNot found, read_frame(window_, at));
    if (!found.frame || !known(found.frame->record.type)) continue;
    const Frame first = *found.frame;
    Fault with_suspect;
    add_suspect(first.record, with_suspect);
    Sense trial = sense_;
    trial.hole();
    if (!trial.take(first.record, position_ + 1).empty()) continue;
    const bool alone = first.record.type == wal::RecordType::kState ||
                       first.record.type == wal::RecordType::kEntry;
    TRUSS_ASSIGN(bool fits, follows(first.end, first.record.crc));
    if (!fits && alone && first.end + kAlignment > end) {
      TRUSS_ASSIGN(fits, ends_well(first));
    }
    if (fits) {
      for (Suspect& one : with_suspect.suspects) fault.suspects.push_back(std::move(one));
      return Resume{at, 0, false, false};
    }
    if (budget < 2 * (first.end - at)) {
      fault.detail += "; gave up looking for records behind it";
      fault.gave_up = true;
      return std::nullopt;
    }
    budget -= 2 * (first.end - at);
  }
  return std::nullopt;
}

Result<> SegmentScan::go_on(const Resume& resume) {
  if (resume.damaged_is_good) {
    TRUSS_ASSIGN(const FrameOrNot damaged, read_frame(window_, offset_));
    Frame frame = *damaged.frame;
    frame.record.crc = resume.crc;
    take(frame);
  }
  offset_ = resume.offset;
  crc_ = resume.crc;
  ++position_;
  if (resume.verified) return {};
  TRUSS_ASSIGN(const FrameOrNot first, read_frame(window_, offset_));
  if (!sense_.take(first.frame->record, position_).empty()) sense_.hole();
  emit(*first.frame, Trust::kUnverified);
  offset_ = first.frame->end;
  crc_ = first.frame->record.crc;
  ++position_;
  return {};
}

/// True if some sector's share of [begin, end) is all zeros.
Result<bool> SegmentScan::zero_sector(std::uint64_t begin, std::uint64_t end) {
  while (begin < end) {
    const std::uint64_t room = wal::kSectorBytes - begin % wal::kSectorBytes;
    TRUSS_ASSIGN(const ByteView piece, window_.at(begin, std::min(room, end - begin)));
    if (piece.empty()) return false;
    if (piece.find_first_not_of('\0') == ByteView::npos) return true;
    begin += piece.size();
  }
  return false;
}

Result<FaultKind> SegmentScan::kind_of(const FrameOrNot& at, const Fault& fault) {
  if (at.why == NoFrame::kZeroLength && !at.end) return FaultKind::kZeroFill;
  const std::uint64_t behind = std::max(at.end, fault.end);
  TRUSS_ASSIGN(const bool zeros,
               zero_sector(offset_ + wal::kFrameHeaderBytes, std::max(behind, offset_ + 16)));
  if (fault.resumed) {
    if (zeros) return FaultKind::kZeroFill;
    return at.why == NoFrame::kTooLong ? FaultKind::kBadLength : FaultKind::kGarbage;
  }
  if (last_ && zeros) return FaultKind::kTornTail;
  if (at.why == NoFrame::kCutShort) return FaultKind::kCutShort;
  if (at.why == NoFrame::kTooLong) {
    // A file that was cut, or a length that grew: the one has no zeros behind its bytes.
    TRUSS_ASSIGN(const bool room, zero_sector(offset_ + wal::kFrameHeaderBytes, facts_.file_bytes));
    return room ? FaultKind::kBadLength : FaultKind::kCutShort;
  }
  return at.end != 0 ? FaultKind::kBitFlip : FaultKind::kGarbage;
}

}  // namespace truss::waltool
