#include "truss/peer/message_stream.h"

#include "truss/common/coding.h"

namespace truss::peer {

bool is_link_heartbeat(const raft::Message& message) {
  return message.type == raft::MessageType::kHeartbeat && message.from == raft::kNoNode &&
         message.to == raft::kNoNode;
}

raft::Message link_heartbeat() {
  raft::Message message;
  message.type = raft::MessageType::kHeartbeat;
  return message;
}

void write_message_frame(const raft::Message& message, raft::MessageForm form, std::string& out) {
  const std::size_t start = out.size();
  out.append(8, '\0');
  raft::encode(message, form, out);
  store_be64(out.data() + start, out.size() - start - 8);
}

Result<> MessageStreamReader::receive(ByteView bytes, std::vector<raft::Message>& messages) {
  while (const auto part = gather_.take(bytes, in_message_ ? length_ : 8)) {
    if (!in_message_) {
      length_ = load_be64(part->data());
      if (length_ > max_bytes_) {
        return fail(Code::kResourceExhausted, "message stream: message of " +
                                                  std::to_string(length_) + " bytes (limit " +
                                                  std::to_string(max_bytes_) + ")");
      }
    } else {
      TRUSS_ASSIGN(raft::Message message, raft::decode_message(*part));
      if (!is_link_heartbeat(message)) messages.push_back(std::move(message));
    }
    in_message_ = !in_message_;
  }
  return {};
}

}  // namespace truss::peer
