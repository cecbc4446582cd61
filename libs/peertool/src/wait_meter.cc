#include "wait_meter.h"

#include <algorithm>
#include <optional>

#include "numbers.h"
#include "truss/common/coding.h"

namespace truss::peertool {
namespace {

constexpr ByteView kMark = "peerbench";
constexpr std::size_t kContextBytes = kMark.size() + 1 + 8;

/// What tells one message of ours from all others.
std::optional<std::uint64_t> key_of(const raft::Message& message) {
  if (message.type == raft::MessageType::kHeartbeat) return number_in(message.context.view());
  if (message.entries.empty()) return std::nullopt;
  return message.entries.back().index.value();
}

}  // namespace

SharedBytes context_of(peer::Channel channel, std::uint64_t number) {
  return SharedBytes::build(kContextBytes, [&](char* p) {
    p = std::copy(kMark.begin(), kMark.end(), p);
    *p++ = static_cast<char>(channel);
    store_be64(p, number);
  });
}

std::optional<std::uint64_t> number_in(ByteView context) {
  if (context.size() != kContextBytes || !context.starts_with(kMark)) return std::nullopt;
  return load_be64(context.data() + kMark.size() + 1);
}

void WaitMeter::queued(Channel channel, const raft::Message& message) {
  if (const auto key = key_of(message)) lane(channel).queued[*key] = clock_.now();
}

void WaitMeter::written(Channel channel, const raft::Message& message) {
  const auto key = key_of(message);
  if (!key) return;
  Lane& l = lane(channel);
  const auto found = l.queued.find(*key);
  if (found == l.queued.end()) return;
  const MonoTime now = clock_.now();
  l.waits.queue_wait.add(now - found->second);
  l.waits.head_of_line.add(now - std::max(found->second, l.last_written));
  l.last_written = now;
  l.queued.erase(found);
}

void WaitMeter::reset() {
  for (Lane& l : lanes_) {
    l.waits = {};
    l.queued.clear();  // of messages that were dropped with their connection
  }
}

}  // namespace truss::peertool
