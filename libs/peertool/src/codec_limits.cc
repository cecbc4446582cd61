#include <algorithm>
#include <vector>

#include "limits_parts.h"
#include "truss/peer/msgapp_stream.h"

namespace truss::peertool {
namespace {

constexpr std::size_t kEntriesOfAppend = 64;
constexpr std::size_t kAppends = 64;
constexpr std::size_t kPieceBytes = 64u << 10;  // as sockets give them

struct Rates {
  double encode = 0;  ///< entries a second
  double decode = 0;
};

/// Appends as a leader under load sends them, one following the other.
std::vector<raft::Message> appends(std::size_t count, std::size_t entries, std::size_t payload) {
  const SharedBytes data =
      payload == 0 ? SharedBytes() : SharedBytes::copy(std::string(payload, 'x'));
  std::vector<raft::Message> out;
  std::uint64_t index = 1'000'000;
  for (std::size_t i = 0; i < count; ++i) {
    raft::Message& m = out.emplace_back();
    m.type = raft::MessageType::kApp;
    m.from = raft::NodeId(1);
    m.to = raft::NodeId(2);
    m.term = m.log_term = raft::Term(7);
    m.index = raft::Index(index);
    m.commit = raft::Index(index);
    for (std::size_t e = 0; e < entries; ++e) {
      m.entries.push_back({raft::Term(7), raft::Index(++index), raft::EntryType::kNormal, data});
    }
  }
  return out;
}

double encode_once(const std::vector<raft::Message>& messages, std::string& out) {
  out.clear();
  peer::MsgAppWriter writer(raft::MessageForm::k36);
  for (const raft::Message& message : messages) writer.write(message, out);
  return static_cast<double>(out.size());
}

std::size_t decode_once(const std::string& bytes, std::vector<raft::Message>& messages) {
  peer::MsgAppReader reader(raft::NodeId(1), raft::NodeId(2), 1u << 30);
  std::size_t entries = 0;
  for (std::size_t at = 0; at < bytes.size(); at += kPieceBytes) {
    const std::size_t size = std::min(kPieceBytes, bytes.size() - at);
    if (!reader.receive(ByteView(bytes).substr(at, size), messages)) return 0;
    for (const raft::Message& message : messages) entries += message.entries.size();
    messages.clear();
  }
  return entries;
}

/// Rounds of `body` a second, over `each`.
template <class Body>
double rounds_per_second(Clock& clock, Duration each, Body body) {
  body();
  std::uint64_t rounds = 0;
  const MonoTime start = clock.now();
  MonoTime now = start;
  for (; now - start < each; now = clock.now()) {
    body();
    ++rounds;
  }
  return static_cast<double>(rounds) / std::chrono::duration<double>(now - start).count();
}

Rates rates_of(Clock& clock, Duration each, std::size_t per_append, std::size_t payload) {
  const auto messages = appends(kAppends, per_append, payload);
  const auto entries = static_cast<double>(kAppends * per_append);
  std::string bytes;
  std::vector<raft::Message> read;
  Rates out;
  out.encode = entries * rounds_per_second(clock, each, [&] { encode_once(messages, bytes); });
  out.decode = entries * rounds_per_second(clock, each, [&] { decode_once(bytes, read); });
  return out;
}

}  // namespace

void measure_codec(Clock& clock, Duration each, LimitsReport& out) {
  const Rates full = rates_of(clock, each, kEntriesOfAppend, 1024);
  out.encode_1k_gb_per_second = full.encode * 1024 / 1e9;
  out.decode_1k_gb_per_second = full.decode * 1024 / 1e9;
  const Rates empty = rates_of(clock, each, 1, 0);
  out.encode_empty_per_second = empty.encode;
  out.decode_empty_per_second = empty.decode;
}

}  // namespace truss::peertool
