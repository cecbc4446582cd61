#include <algorithm>
#include <optional>

#include "segment_files.h"
#include "truss/common/coding.h"
#include "truss/common/crc32c.h"
#include "truss/raft/codec.h"
#include "truss/wal/maintenance.h"

namespace truss::wal {
namespace {

constexpr std::uint64_t kAlignment = 8;

/// Reads what comes after the end of a log as far as it makes sense.
class Beyond {
 public:
  /// \param bytes  the segment from `offset`, the end of the log, to its last non-zero byte
  Beyond(ByteView bytes, Hole& hole) : bytes_(bytes), hole_(hole) {}

  /// Finds the first two records in a row that fit each other and follows their chain.
  bool find() {
    for (std::uint64_t at = 0; at < bytes_.size(); at += kAlignment) {
      std::uint64_t next = at;
      const auto first = record_at(next);
      if (!first) continue;
      std::uint64_t after = next;
      const auto second = record_at(after);
      if (!second || !follows(*first, *second)) continue;
      hole_.end = hole_.begin + at;
      follow_chain(*first, next);
      return true;
    }
    return false;
  }

 private:
  /// The record whose frame begins at `at`, which moves past it.
  std::optional<Record> record_at(std::uint64_t& at) const {
    if (bytes_.size() - std::min<std::uint64_t>(at, bytes_.size()) < kFrameHeaderBytes) return {};
    const FrameLength length = parse_frame_length(load_le<std::uint64_t>(bytes_.data() + at));
    const std::uint64_t left = bytes_.size() - at - kFrameHeaderBytes;
    // The padding of the last record may lie beyond the last non-zero byte.
    if (length.record_bytes == 0 || length.record_bytes > left) return {};
    auto record = decode_record(bytes_.substr(at + kFrameHeaderBytes, length.record_bytes));
    if (!record || record->type < RecordType::kMetadata || record->type > RecordType::kSnapshot) {
      return {};
    }
    at += length.frame_bytes();
    return *record;
  }

  static bool follows(const Record& before, const Record& after) {
    const bool link = after.type == RecordType::kCrc;
    return after.crc == (link ? before.crc : crc32c(after.data, before.crc));
  }

  void follow_chain(Record record, std::uint64_t next) {
    bool state_before = false;
    bool later_save = false;
    for (;;) {
      later_save |= state_before;
      note_entry(record);
      state_before |= record.type == RecordType::kState;
      const auto after = record_at(next);
      if (!after || !follows(record, *after)) break;
      record = *after;
    }
    const bool jump = hole_.first_after > hole_.last_before + 1;
    hole_.synced = jump && later_save;
  }

  void note_entry(const Record& record) {
    if (record.type != RecordType::kEntry) return;
    const auto entry = raft::decode_entry(record.data);
    if (!entry) return;
    if (hole_.first_after == raft::Index(0)) hole_.first_after = entry->index;
    hole_.last_after = std::max(hole_.last_after, entry->index);
  }

  ByteView bytes_;
  Hole& hole_;
};

/// Reads the segment to its end; where it ends, and its last entry, go to `hole`.
Result<> read_good_part(LogReader& reader, Hole& hole) {
  Record record;
  for (;;) {
    const auto found = reader.next(record);
    hole.begin = reader.end().offset;
    if (!found && !is_torn(found.error()) && found.error().code != Code::kCorruption) {
      return tl::unexpected(found.error());
    }
    if (!found || !*found) return {};
    if (record.type != RecordType::kEntry) continue;
    if (const auto entry = raft::decode_entry(record.data)) hole.last_before = entry->index;
  }
}

}  // namespace

Result<std::optional<Hole>> find_hole(FileSystem& fs, const std::string& dir, ReadLimits limits) {
  TRUSS_ASSIGN(const auto names, list_segments(fs, dir));
  TRUSS_ASSIGN(const auto held, open_segments(fs, dir, {names.back()}, Access::kRead));
  Hole hole{.path = held.back().path};
  // A tail without entries goes on where its name says.
  hole.last_before =
      names.back().first_index - (names.back().first_index == raft::Index(0) ? 0 : 1);
  LogReader reader(sources(held), limits);
  TRUSS_TRY(read_good_part(reader, hole));

  File& file = *held.back().file;
  TRUSS_ASSIGN(const std::uint64_t end, end_of_non_zero(file, hole.begin));
  std::string bytes(end - hole.begin, '\0');
  TRUSS_ASSIGN(const std::size_t got, file.pread(bytes, hole.begin));
  bytes.resize(got);
  if (!Beyond(bytes, hole).find()) return std::nullopt;
  return hole;
}

std::string Hole::message() const {
  const auto number = [](std::uint64_t n) { return std::to_string(n); };
  std::string out = "wal " + path + ": the records between offsets " + number(begin) + " and " +
                    number(end) + " are unreadable";
  if (first_after > last_before + 1) {
    out += ", with entries " + number(last_before.value() + 1) + " to " +
           number(first_after.value() - 1);
  }
  if (!synced) return out + "; they may be a write that a crash broke off";
  return out +
         ", and they had been synced: this is damage, no torn write, and was left as it is; "
         "restore this member from a backup, or remove it from the cluster and add it again "
         "with an empty data directory";
}

}  // namespace truss::wal
