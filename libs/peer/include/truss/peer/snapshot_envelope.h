#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "truss/common/bytes.h"
#include "truss/common/error.h"
#include "truss/peer/gather.h"
#include "truss/raft/codec.h"

/// Format: the body of POST /raft/snapshot is `uint64 big-endian length | raftpb.Message (MsgSnap)`
/// and then the bytes of the database file to the end of the body.
/// *Source:* etcd snap/message.go, rafthttp/snapshot_sender.go.
namespace truss::peer {

/// Appends what goes before the database.
void write_snapshot_envelope(const raft::Message& message, raft::MessageForm form,
                             std::string& out);

/// Thread: one.
class SnapshotEnvelopeReader {
 public:
  explicit SnapshotEnvelopeReader(std::uint64_t max_bytes) : max_bytes_(max_bytes) {}

  /// Takes bytes off the front of `bytes` until the message is whole; what is left is the database.
  /// *Errors:* kResourceExhausted `rafthttp: error limit exceeded`, kCorruption for what doesn't
  /// decode.
  Result<std::optional<raft::Message>> receive(ByteView& bytes);

 private:
  Gather gather_;
  std::uint64_t max_bytes_;
  std::optional<std::uint64_t> length_;
};

}  // namespace truss::peer
