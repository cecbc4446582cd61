// Arbitrary bytes as a msgapp stream: cutting them differently must not change what is read, and a
// writer given the plain appends among it must make a reader say the same again.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "truss/common/check.h"
#include "truss/peer/msgapp_stream.h"

using namespace truss;        // NOLINT: one file
using namespace truss::peer;  // NOLINT

namespace {

constexpr raft::NodeId kRemote{1};
constexpr raft::NodeId kLocal{2};

struct Outcome {
  std::vector<raft::Message> messages;
  bool ok = true;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome read(ByteView bytes, std::size_t cut) {
  MsgAppReader reader(kRemote, kLocal, 1u << 16);
  Outcome out;
  while (out.ok && !bytes.empty()) {
    const std::size_t size = std::min(cut, bytes.size());
    out.ok = reader.receive(bytes.substr(0, size), out.messages).has_value();
    bytes.remove_prefix(size);
    TRUSS_CHECK(reader.held_bytes() <= (1u << 16));
  }
  return out;
}

bool is_plain(const raft::Message& m) {
  return m.type == raft::MessageType::kApp && m.from == kRemote && m.to == kLocal && !m.reject &&
         m.context.empty() && !m.has_snapshot && m.responses.empty() && m.vote == raft::kNoNode &&
         m.reject_hint == raft::Index{};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(reinterpret_cast<const char*>(data), size);
  const Outcome whole = read(bytes, size + 1);
  TRUSS_CHECK(whole == read(bytes, 1));
  TRUSS_CHECK(whole == read(bytes, 5));
  std::vector<raft::Message> plain;
  std::copy_if(whole.messages.begin(), whole.messages.end(), std::back_inserter(plain), is_plain);
  for (const auto form : {raft::MessageForm::k34, raft::MessageForm::k36}) {
    std::string again;
    MsgAppWriter writer(form);
    for (const raft::Message& m : plain) writer.write(m, again);
    MsgAppReader reader(kRemote, kLocal, 1u << 24);
    std::vector<raft::Message> messages;
    TRUSS_CHECK(reader.receive(again, messages).has_value());
    TRUSS_CHECK(messages == plain);
  }
  return 0;
}
