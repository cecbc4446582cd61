#include "heartbeat_tap.h"

#include <algorithm>
#include <string>

#include "truss/peer/message_stream.h"

namespace truss::bench {
namespace {

constexpr std::uint64_t kMostMessageBytes = 512u << 20;
constexpr std::string_view kRequest = "GET /raft/stream/message";

/// The body of a chunked answer, piece by piece.
class Dechunker {
 public:
  /// Takes bytes after the head; gives those of the body.
  std::string take(std::string_view bytes) {
    std::string body;
    while (!bytes.empty()) {
      if (left_ > 0) {
        const std::size_t size = std::min<std::size_t>(left_, bytes.size());
        body.append(bytes.substr(0, size));
        bytes.remove_prefix(size);
        left_ -= size;
        continue;
      }
      const char c = bytes.front();
      bytes.remove_prefix(1);
      if (c == '\n' && !line_.empty()) {
        left_ = std::stoul(line_, nullptr, 16);
        line_.clear();
      } else if (c != '\r' && c != '\n') {
        line_ += c;
      }
    }
    return body;
  }

 private:
  std::string line_;
  std::size_t left_ = 0;
};

}  // namespace

/// One connection on which a message stream runs.
struct HeartbeatTap::Stream {
  std::string head;
  bool in_body = false;
  Dechunker chunks;
  peer::MessageStreamReader reader{kMostMessageBytes};
};

HeartbeatTap::HeartbeatTap() = default;
HeartbeatTap::~HeartbeatTap() = default;

void HeartbeatTap::begin() {
  const std::lock_guard lock(mutex_);
  gaps_.clear();
  last_.clear();
}

std::vector<Duration> HeartbeatTap::gaps() {
  const std::lock_guard lock(mutex_);
  std::sort(gaps_.begin(), gaps_.end());
  return gaps_;
}

void HeartbeatTap::see(void* self, const cluster::Links::Passing& passing) {
  static_cast<HeartbeatTap*>(self)->take(passing);
}

void HeartbeatTap::take(const cluster::Links::Passing& passing) {
  const std::lock_guard lock(mutex_);
  if (passing.dialled) {
    const bool stream = passing.bytes->starts_with(kRequest);
    if (stream) streams_[passing.connection] = std::make_unique<Stream>();
    return;
  }
  const auto found = streams_.find(passing.connection);
  if (found == streams_.end()) return;
  Stream& stream = *found->second;
  std::string_view bytes = *passing.bytes;
  if (!stream.in_body) {
    stream.head += bytes;
    const std::size_t end = stream.head.find("\r\n\r\n");
    if (end == std::string::npos) return;
    stream.in_body = true;
    bytes = std::string_view(stream.head).substr(end + 4);
  }
  std::vector<raft::Message> messages;
  if (!stream.reader.receive(stream.chunks.take(bytes), messages)) return;
  for (const raft::Message& message : messages) {
    if (message.type != raft::MessageType::kHeartbeat) continue;
    const auto link = std::make_pair(passing.from, passing.to);
    const auto before = last_.find(link);
    if (before != last_.end()) gaps_.push_back(passing.when - before->second);
    last_[link] = passing.when;
  }
}

}  // namespace truss::bench
