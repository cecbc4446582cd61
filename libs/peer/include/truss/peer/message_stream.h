#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "truss/common/bytes.h"
#include "truss/common/error.h"
#include "truss/peer/gather.h"
#include "truss/raft/codec.h"

/// Format: the message stream is a row of `uint64 big-endian length | raftpb.Message`.
/// *Source:* etcd rafthttp/message_codec.go.
namespace truss::peer {

/// True of the sign of life that writers send when there may be nothing else to say: a heartbeat
/// from nobody to nobody. Raft must not see it.
bool is_link_heartbeat(const raft::Message& message);
raft::Message link_heartbeat();

/// Appends one frame to `out`.
void write_message_frame(const raft::Message& message, raft::MessageForm form, std::string& out);

/// Bytes of the message stream to messages; link heartbeats are left out.
///
/// Thread: one.
class MessageStreamReader {
 public:
  explicit MessageStreamReader(std::uint64_t max_message_bytes) : max_bytes_(max_message_bytes) {}

  /// Takes all of `bytes` and appends the messages that are whole.
  /// *Errors:* kResourceExhausted for a length above the limit, kCorruption for a message that
  /// doesn't decode; the stream can't be read any further.
  Result<> receive(ByteView bytes, std::vector<raft::Message>& messages);
  std::size_t held_bytes() const { return gather_.held_bytes(); }

 private:
  Gather gather_;
  std::uint64_t max_bytes_;
  std::uint64_t length_ = 0;
  bool in_message_ = false;
};

}  // namespace truss::peer
