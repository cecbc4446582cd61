#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "truss/common/bytes.h"
#include "truss/common/error.h"
#include "truss/raft/snapshot_mark.h"
#include "truss/raft/types.h"

/// The records of a WAL: their frame, their envelope, and the payloads that are not raftpb.
///
/// Format: `u64le length · record · zero padding to 8`, the length's top byte `0x80 | padding`
/// when there is padding; record = protobuf {1 type, 2 crc, 3 data}.
/// *Thread:* any. *Source:* etcd wal/decoder.go, wal/encoder.go, wal/walpb/record.proto.
namespace truss::wal {

inline constexpr std::uint64_t kFrameHeaderBytes = 8;
/// Torn writes are judged at this grain.
inline constexpr std::uint64_t kSectorBytes = 512;

enum class RecordType : std::int64_t {
  kMetadata = 1,
  kEntry = 2,
  kState = 3,
  kCrc = 4,
  kSnapshot = 5,
};

/// `metadata`, `entry`, `state`, `crc`, `snapshot`; `type N` for others.
std::string type_name(RecordType type);

/// The 8 bytes before each record, taken apart.
struct FrameLength {
  std::uint64_t record_bytes = 0;   ///< below 2^56
  std::uint64_t padding_bytes = 0;  ///< [0, 8)

  /// Length of the whole frame, header included.
  std::uint64_t frame_bytes() const { return kFrameHeaderBytes + record_bytes + padding_bytes; }
};
FrameLength parse_frame_length(std::uint64_t field);
/// The length field of a record of that many bytes.
std::uint64_t frame_length_field(std::uint64_t record_bytes);

/// One record as it lies in the log. `crc` is the rolling CRC-32C after `data`.
struct Record {
  RecordType type{};  ///< unknown types are kept as they are
  std::uint32_t crc = 0;
  ByteView data;  ///< view into the reader's buffer or the input
};

/// Decodes a record's protobuf (not its frame). *Errors:* kCorruption.
Result<Record> decode_record(ByteView bytes);

/// Payload of METADATA: whose log it is.
struct Identity {
  raft::NodeId node_id;
  std::uint64_t cluster_id = 0;

  friend bool operator==(const Identity&, const Identity&) = default;
};
std::string encode_identity(const Identity& identity);
Result<Identity> decode_identity(ByteView bytes);

/// Payload of SNAPSHOT. 3.4 writes no conf_state; 3.5 and later insist on one above index 0.
struct SnapshotRecord {
  raft::SnapshotMark mark;
  std::optional<raft::ConfState> conf_state;

  friend bool operator==(const SnapshotRecord&, const SnapshotRecord&) = default;
};
std::string encode_snapshot_record(const SnapshotRecord& record);
Result<SnapshotRecord> decode_snapshot_record(ByteView bytes);

}  // namespace truss::wal
