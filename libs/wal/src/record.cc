#include "truss/wal/record.h"

#include "truss/common/coding.h"
#include "truss/common/plain_fields.h"
#include "truss/raft/codec.h"

namespace truss::wal {
namespace {

constexpr std::uint64_t kRecordBytesMask = 0x00ff'ffff'ffff'ffff;
constexpr std::uint64_t kHasPadding = std::uint64_t{1} << 63;

}  // namespace

std::string type_name(RecordType type) {
  switch (type) {
    case RecordType::kMetadata:
      return "metadata";
    case RecordType::kEntry:
      return "entry";
    case RecordType::kState:
      return "state";
    case RecordType::kCrc:
      return "crc";
    case RecordType::kSnapshot:
      return "snapshot";
  }
  return "type " + std::to_string(static_cast<std::int64_t>(type));
}

FrameLength parse_frame_length(std::uint64_t field) {
  return {.record_bytes = field & kRecordBytesMask,
          .padding_bytes = (field & kHasPadding) != 0 ? field >> 56 & 7 : 0};
}

std::uint64_t frame_length_field(std::uint64_t record_bytes) {
  const std::uint64_t padding = -record_bytes & 7;
  return padding == 0 ? record_bytes : record_bytes | (0x80 | padding) << 56;
}

Result<Record> decode_record(ByteView bytes) {
  Record record;
  std::uint64_t type = 0, crc = 0;
  PlainFields plain(bytes);
  plain.varint(1, type);
  plain.varint(2, crc);
  plain.bytes(3, record.data);
  if (plain.whole()) {
    record.type = static_cast<RecordType>(type);
    record.crc = static_cast<std::uint32_t>(crc);
    return record;
  }
  record = {};
  PbReader in(bytes);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        record.type = static_cast<RecordType>(in.varint());
        break;
      case 2:
        record.crc = static_cast<std::uint32_t>(in.varint());
        break;
      case 3:
        record.data = in.bytes();
        break;
      default:
        break;
    }
  }
  if (!in.ok()) return fail(Code::kCorruption, "malformed record");
  return record;
}

std::string encode_identity(const Identity& identity) {
  std::string out;
  PbWriter w(out);
  w.put_varint(1, identity.node_id.value());
  w.put_varint(2, identity.cluster_id);
  return out;
}

Result<Identity> decode_identity(ByteView bytes) {
  Identity identity;
  PbReader in(bytes);
  while (in.next()) {
    if (in.field() == 1) identity.node_id = raft::NodeId(in.varint());
    if (in.field() == 2) identity.cluster_id = in.varint();
  }
  if (!in.ok()) return fail(Code::kCorruption, "wal metadata: malformed protobuf");
  return identity;
}

std::string encode_snapshot_record(const SnapshotRecord& record) {
  std::string out;
  PbWriter w(out);
  w.put_varint(1, record.mark.index.value());
  w.put_varint(2, record.mark.term.value());
  if (record.conf_state) w.put_bytes(3, raft::encoded(*record.conf_state));
  return out;
}

Result<SnapshotRecord> decode_snapshot_record(ByteView bytes) {
  SnapshotRecord record;
  PbReader in(bytes);
  while (in.next()) {
    if (in.field() == 1) record.mark.index = raft::Index(in.varint());
    if (in.field() == 2) record.mark.term = raft::Term(in.varint());
    if (in.field() == 3) {
      TRUSS_ASSIGN(record.conf_state, raft::decode_conf_state(in.bytes()));
    }
  }
  if (!in.ok()) return fail(Code::kCorruption, "wal snapshot record: malformed protobuf");
  return record;
}

}  // namespace truss::wal
