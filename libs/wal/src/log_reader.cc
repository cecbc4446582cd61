#include "truss/wal/log_reader.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "truss/common/check.h"
#include "truss/common/coding.h"
#include "truss/common/crc32c.h"
#include "truss/wal/file_window.h"

namespace truss::wal {
namespace {

constexpr std::uint64_t kWindowBytes = 256 << 10;
constexpr const char* kAdvice =
    "; the log is damaged and was left as it is: restore this member from a backup, or remove it "
    "from the cluster and add it again with an empty data directory";

std::string hex32(std::uint32_t value) {
  char text[9];
  std::snprintf(text, sizeof text, "%08x", value);
  return text;
}

/// True if some sector's share of the bytes at file offset `offset` is all zeros: it was allocated
/// but its write never arrived.
bool has_zero_sector(ByteView bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const std::uint64_t room = kSectorBytes - offset % kSectorBytes;
    const ByteView chunk = bytes.substr(0, room);
    if (chunk.find_first_not_of('\0') == ByteView::npos) return true;
    bytes.remove_prefix(chunk.size());
    offset += chunk.size();
  }
  return false;
}

}  // namespace

bool is_torn(const Error& error) { return error.code == Code::kDataLoss; }

struct LogReader::Impl {
  std::vector<SegmentSource> segments;
  ReadLimits limits;
  std::optional<FileWindow> window;
  Place place;
  Place end;
  std::uint32_t crc = 0;
  std::vector<Place> early_ends;
  bool ended = false;

  Impl(std::vector<SegmentSource> from, ReadLimits with) : segments(std::move(from)), limits(with) {
    ended = segments.empty();
  }

  bool in_last_segment() const { return end.segment + 1 == segments.size(); }

  Error damaged(const Place& at, const std::string& message) const {
    return {Code::kCorruption, "wal " + segments[at.segment].path + ": " + message + " at offset " +
                                   std::to_string(at.offset) + kAdvice};
  }

  /// A log that ends inside a record. In an older segment that is damage: repair can't mend it.
  Unexpected cut_short(const std::string& message) const {
    if (!in_last_segment()) return Unexpected(damaged(place, message));
    return fail(Code::kDataLoss, "wal " + segments[place.segment].path + ": " + message +
                                     " at offset " + std::to_string(place.offset) + " (torn tail)");
  }

  /// A record that is there but wrong: torn if it looks like a write that arrived in part.
  Unexpected bad_record(const std::string& message, ByteView padded) const {
    const bool torn =
        in_last_segment() && has_zero_sector(padded, place.offset + kFrameHeaderBytes);
    return torn ? cut_short(message) : Unexpected(damaged(place, message));
  }

  Result<> open_window() {
    File& file = *segments[end.segment].file;
    TRUSS_ASSIGN(const std::uint64_t size, file.size());
    window.emplace(file, size, kWindowBytes);
    return {};
  }

  /// Ends the present segment. False if it was the last.
  bool next_segment() {
    if (in_last_segment()) return false;
    if (end.offset < window->file_bytes()) early_ends.push_back(end);
    end = {end.segment + 1, 0};
    window.reset();
    return true;
  }

  /// Length of the next frame, walking on to the segment that holds it. False at the end.
  Result<bool> find_frame(FrameLength& length) {
    for (;;) {
      if (!window) TRUSS_TRY(open_window());
      place = end;
      TRUSS_ASSIGN(const ByteView field, window->at(end.offset, kFrameHeaderBytes));
      const bool whole = field.size() == kFrameHeaderBytes;
      const std::uint64_t value = whole ? load_le<std::uint64_t>(field.data()) : 0;
      if (whole && value != 0) {
        length = parse_frame_length(value);
        return true;
      }
      if (!whole && !field.empty()) return cut_short("the file ends inside a length field");
      if (!next_segment()) return false;
    }
  }

  Result<> check_length(const FrameLength& length) const {
    const std::uint64_t limit = limits.max_record_bytes;
    if (limit != 0 && length.record_bytes + length.padding_bytes >= limit) {
      return Unexpected(damaged(place, "max entry size limit exceeded: a record of " +
                                           std::to_string(length.record_bytes) + " bytes"));
    }
    const std::uint64_t left = window->file_bytes() - place.offset;
    if (length.frame_bytes() <= left) return {};
    return cut_short("unexpected end of file: a record of " + std::to_string(length.record_bytes) +
                     " bytes where " + std::to_string(left) + " are left");
  }

  Result<> check_crc(const Record& record, ByteView padded) {
    const bool chain_link = record.type == RecordType::kCrc;
    const std::uint32_t own = chain_link ? crc : crc32c(record.data, crc);
    if (own != record.crc && !(chain_link && crc == 0)) {
      const std::string message = "crc mismatch in a record of type " + type_name(record.type) +
                                  " (stored " + hex32(record.crc) + ", computed " + hex32(own) +
                                  ")";
      return chain_link ? Unexpected(damaged(place, message)) : bad_record(message, padded);
    }
    crc = record.crc;
    return {};
  }

  Result<bool> next(Record& record) {
    FrameLength length;
    TRUSS_ASSIGN(const bool found, find_frame(length));
    if (!found) return false;
    TRUSS_TRY(check_length(length));
    TRUSS_ASSIGN(const ByteView frame, window->at(place.offset, length.frame_bytes()));
    if (frame.size() < length.frame_bytes()) return cut_short("the file shrank while being read");
    const ByteView padded = frame.substr(kFrameHeaderBytes);
    auto decoded = decode_record(padded.substr(0, length.record_bytes));
    if (!decoded) return bad_record(decoded.error().message, padded);
    TRUSS_TRY(check_crc(*decoded, padded));
    record = *decoded;
    end.offset += length.frame_bytes();
    return true;
  }
};

LogReader::LogReader(std::vector<SegmentSource> segments, ReadLimits limits)
    : impl_(std::make_unique<Impl>(std::move(segments), limits)) {}
LogReader::~LogReader() = default;
LogReader::LogReader(LogReader&&) noexcept = default;
LogReader& LogReader::operator=(LogReader&&) noexcept = default;

Result<bool> LogReader::next(Record& record) {
  if (impl_->ended) return false;
  auto found = impl_->next(record);
  impl_->ended = !found || !*found;
  return found;
}

Place LogReader::place() const { return impl_->place; }
Place LogReader::end() const { return impl_->end; }
std::uint32_t LogReader::crc() const { return impl_->crc; }
const std::vector<Place>& LogReader::early_ends() const { return impl_->early_ends; }
const std::string& LogReader::path_of(const Place& place) const {
  return impl_->segments[place.segment].path;
}
Error LogReader::damage(const Place& place, const std::string& message) const {
  return impl_->damaged(place, message);
}

}  // namespace truss::wal
