#pragma once

#include <optional>
#include <string>

#include "frame.h"
#include "sense.h"
#include "truss/waltool/scan.h"

namespace truss::waltool {

/// Reads one segment, past any damage. See scan().
class SegmentScan {
 public:
  SegmentScan(File& file, std::size_t number, bool last, Sense& sense, const ScanSink& sink,
              SegmentFacts& facts, std::uint64_t done_before);

  /// Learns what the CRC record at its head says. Reports nothing yet.
  Result<> read_head();
  /// All records and faults.
  Result<> read_rest();
  /// True if zeros lay behind its last record.
  bool ended_in_zeros() const { return ended_in_zeros_; }

 private:
  /// Where reading goes on behind damage.
  struct Resume {
    std::uint64_t offset = 0;
    std::uint32_t crc = 0;         ///< running CRC before the record at `offset`
    bool verified = true;          ///< that record fits `crc`
    bool damaged_is_good = false;  ///< the damaged record's data is proved by it
  };

  Result<bool> step();
  void take(const Frame& frame);
  void emit(const Frame& frame, Trust trust);
  Result<bool> at_zero_length();
  Result<bool> damage(const FrameOrNot& at);
  Result<std::optional<Resume>> resume_behind(std::uint64_t end, std::uint32_t stored,
                                              std::uint32_t computed);
  Result<std::optional<Resume>> search(Fault& fault);
  Result<bool> follows(std::uint64_t offset, std::uint32_t crc);
  Result<bool> ends_well(const Frame& frame);
  Result<> go_on(const Resume& resume);
  Result<std::uint64_t> non_zero_from(std::uint64_t offset);
  Result<std::uint64_t> end_of_data();
  Result<bool> zero_sector(std::uint64_t begin, std::uint64_t end);
  Result<FaultKind> kind_of(const FrameOrNot& at, const Fault& fault);
  void report(Fault fault);
  void report_no_head(FaultKind kind, const char* what);

  FileWindow window_;
  const std::size_t number_;
  const bool last_;
  Sense& sense_;
  const ScanSink& sink_;
  SegmentFacts& facts_;
  const std::uint64_t done_before_;
  std::uint64_t offset_ = 0;
  std::uint64_t position_ = 0;
  std::uint32_t crc_ = 0;
  std::uint64_t told_ = 0;
  bool ended_in_zeros_ = false;
};

}  // namespace truss::waltool
