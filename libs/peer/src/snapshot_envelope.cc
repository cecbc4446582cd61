#include "truss/peer/snapshot_envelope.h"

#include "truss/common/coding.h"
#include "truss/peer/message_stream.h"

namespace truss::peer {

void write_snapshot_envelope(const raft::Message& message, raft::MessageForm form,
                             std::string& out) {
  write_message_frame(message, form, out);
}

Result<std::optional<raft::Message>> SnapshotEnvelopeReader::receive(ByteView& bytes) {
  if (!length_) {
    const auto prefix = gather_.take(bytes, 8);
    if (!prefix) return std::nullopt;
    length_ = load_be64(prefix->data());
    if (*length_ > max_bytes_) {
      return fail(Code::kResourceExhausted, "rafthttp: error limit exceeded");
    }
  }
  const auto body = gather_.take(bytes, *length_);
  if (!body) return std::nullopt;
  TRUSS_ASSIGN(raft::Message message, raft::decode_message(*body));
  return message;
}

}  // namespace truss::peer
