#include "truss/waltool/scan.h"

#include <algorithm>
#include <array>

#include "segment_scan.h"

namespace truss::waltool {

std::string fault_name(FaultKind kind) {
  constexpr std::array kNames = {"torn-tail",    "zero-fill",       "bit-flip",
                                 "garbage",      "bad-length",      "bad-type",
                                 "cut-short",    "missing-segment", "reordered-segment",
                                 "broken-chain", "missing-entries"};
  return kNames.at(static_cast<std::size_t>(kind));
}

Result<std::vector<wal::SegmentName>> segments_of(FileSystem& fs, const std::string& dir) {
  TRUSS_ASSIGN(auto names, wal::list_segments(fs, dir));
  const auto same = [](const auto& a, const auto& b) { return a.sequence == b.sequence; };
  names.erase(std::unique(names.begin(), names.end(), same), names.end());
  return names;
}

namespace {

Fault at_head(FaultKind kind, std::size_t segment, std::string detail) {
  Fault fault{.kind = kind, .segment = segment, .detail = std::move(detail), .resumed = true};
  return fault;
}

/// Judges the joint between two segments, when the head of the second has been read.
void check_joint(std::size_t segment, const SegmentFacts& before, const SegmentFacts& now,
                 bool ended_early, Sense& sense, const ScanSink& sink) {
  const bool consecutive = before.name.sequence + 1 == now.name.sequence;
  const bool chained = now.has_head && now.start_crc == before.end_crc;
  if (chained && consecutive) return;
  if (!consecutive) {
    const bool back = now.name.sequence <= before.name.sequence;
    Fault fault = at_head(
        back || chained ? FaultKind::kReorderedSegment : FaultKind::kMissingSegment, segment,
        "segment " + std::to_string(now.name.sequence) + " follows segment " +
            std::to_string(before.name.sequence));
    fault.no_entries = chained;
    if (!chained) sense.hole();
    sink.fault(fault);
    return;
  }
  if (!now.has_head) return;  // its own fault comes
  sense.hole();
  Fault fault = at_head(FaultKind::kBrokenChain, segment,
                        "the segment does not go on where the one before ends");
  if (ended_early) {
    fault = at_head(FaultKind::kZeroFill, segment - 1, "the finished segment ends early, in zeros");
    fault.begin = before.used_bytes;
    fault.end = before.file_bytes;
    fault.resumed = false;
  }
  sink.fault(fault);
}

}  // namespace

Result<std::vector<SegmentFacts>> scan(FileSystem& fs, const std::string& dir,
                                       const std::vector<wal::SegmentName>& names,
                                       const ScanSink& sink) {
  std::vector<SegmentFacts> out;
  Sense sense;
  bool ended_early = false;
  std::uint64_t done = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    SegmentFacts facts{.name = names[i], .path = join_path(dir, names[i].file_name())};
    TRUSS_ASSIGN(const auto file, fs.open(facts.path, {}));
    TRUSS_ASSIGN(facts.file_bytes, file->size());
    SegmentScan segment(*file, i, i + 1 == names.size(), sense, sink, facts, done);
    TRUSS_TRY(segment.read_head());
    if (i > 0) check_joint(i, out.back(), facts, ended_early, sense, sink);
    TRUSS_TRY(segment.read_rest());
    ended_early = segment.ended_in_zeros();
    done += facts.file_bytes;
    out.push_back(std::move(facts));
  }
  return out;
}

}  // namespace truss::waltool
