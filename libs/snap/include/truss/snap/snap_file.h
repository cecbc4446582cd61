#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "truss/common/bytes.h"
#include "truss/common/error.h"
#include "truss/raft/snapshot_mark.h"
#include "truss/raft/types.h"

/// One `.snap` file: protobuf {1 crc, 2 data}, crc = CRC-32C of data, data = raftpb.Snapshot.
/// *Thread:* any. *Source:* etcd snap/snapshotter.go, snap/snappb/snap.proto.
namespace truss::snap {

/// `%016x-%016x.snap`: term, then index (a WAL segment's name has it the other way round).
std::string snap_file_name(raft::SnapshotMark mark);
/// nullopt if it is not a snapshot's name.
std::optional<raft::SnapshotMark> parse_snap_file_name(ByteView name);

/// `%016x.snap.db`: a database received with the snapshot at `index`.
std::string snap_db_file_name(raft::Index index);
std::optional<raft::Index> parse_snap_db_file_name(ByteView name);

/// The whole file of a snapshot.
std::string encode_snap_file(const raft::Snapshot& snapshot);
/// *Errors:* kCorruption for an empty file, malformed protobuf, no data, a zero or wrong crc.
Result<raft::Snapshot> decode_snap_file(ByteView bytes);

}  // namespace truss::snap
