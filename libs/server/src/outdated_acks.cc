#include "outdated_acks.h"

namespace truss::server {
namespace {

bool is_ack(const raft::Message& m) { return m.type == raft::MessageType::kAppResp && !m.reject; }

}  // namespace

void drop_outdated_acks(std::vector<raft::Message>& messages) {
  const raft::Message* last = nullptr;
  for (auto it = messages.rbegin(); it != messages.rend(); ++it) {
    if (!is_ack(*it)) continue;
    const bool outdated =
        last != nullptr && it->to == last->to && it->term == last->term && it->index <= last->index;
    if (!outdated) {
      last = &*it;
    } else {
      it->to = raft::kNoNode;
    }
  }
  std::erase_if(messages, [](const raft::Message& m) { return m.to == raft::kNoNode; });
}

}  // namespace truss::server
