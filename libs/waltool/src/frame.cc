#include "frame.h"

#include "truss/common/coding.h"
#include "truss/common/crc32c.h"
#include "truss/common/plain_fields.h"

namespace truss::waltool {

Result<FrameOrNot> read_frame(FileWindow& window, std::uint64_t offset) {
  TRUSS_ASSIGN(ByteView head, window.at(offset, wal::kFrameHeaderBytes));
  if (head.empty()) return FrameOrNot{{}, NoFrame::kEndOfFile, 0};
  if (head.size() < wal::kFrameHeaderBytes) return FrameOrNot{{}, NoFrame::kCutShort, 0};
  const auto field = load_le<std::uint64_t>(head.data());
  if (field == 0) return FrameOrNot{{}, NoFrame::kZeroLength, 0};
  const wal::FrameLength length = wal::parse_frame_length(field);
  // Readers of etcd ignore bits that no writer sets, but then look for the next frame elsewhere.
  if (length.record_bytes == 0 || field != wal::frame_length_field(length.record_bytes))
    return FrameOrNot{{}, NoFrame::kMalformed, 0};
  if (length.frame_bytes() > window.file_bytes() - offset)
    return FrameOrNot{{}, NoFrame::kTooLong, 0};
  TRUSS_ASSIGN(const ByteView frame, window.at(offset, length.frame_bytes()));
  if (frame.size() < length.frame_bytes()) return FrameOrNot{{}, NoFrame::kCutShort, 0};
  const std::uint64_t end = offset + length.frame_bytes();
  auto record = wal::decode_record(frame.substr(wal::kFrameHeaderBytes, length.record_bytes));
  if (!record) return FrameOrNot{{}, NoFrame::kMalformed, end};
  return FrameOrNot{Frame{offset, end, *record}, {}, end};
}

std::uint32_t crc_after(const wal::Record& record, std::uint32_t seed) {
  return record.type == wal::RecordType::kCrc ? seed : crc32c(record.data, seed);
}

std::optional<EntryView> peek_entry(ByteView bytes) {
  EntryView out;
  std::uint64_t kind = 0, term = 0, index = 0;
  PlainFields plain(bytes);
  plain.varint(1, kind);
  plain.varint(2, term);
  plain.varint(3, index);
  plain.bytes(4, out.data);
  if (plain.whole()) {
    if (kind > 2) return std::nullopt;
    out.head = {static_cast<raft::EntryType>(kind), raft::Term(term), raft::Index(index)};
    return out;
  }
  out = {};
  PbReader in(bytes);
  while (in.next()) {
    switch (in.field()) {
      case 1: {
        const std::uint64_t type = in.varint();
        if (type > 2) return std::nullopt;
        out.head.type = static_cast<raft::EntryType>(type);
        break;
      }
      case 2:
        out.head.term = raft::Term(in.varint());
        break;
      case 3:
        out.head.index = raft::Index(in.varint());
        break;
      case 4:
        out.data = in.bytes();
        break;
      default:
        break;
    }
  }
  if (!in.ok()) return std::nullopt;
  return out;
}

}  // namespace truss::waltool
