// Arbitrary bytes as a message stream: cutting them differently must not change what is read, and
// what is read must be written and read again as the same.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "truss/common/check.h"
#include "truss/peer/message_stream.h"

using namespace truss;        // NOLINT: one file
using namespace truss::peer;  // NOLINT

namespace {

struct Outcome {
  std::vector<raft::Message> messages;
  bool ok = true;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome read(ByteView bytes, std::size_t cut) {
  MessageStreamReader reader(1u << 16);
  Outcome out;
  while (out.ok && !bytes.empty()) {
    const std::size_t size = std::min(cut, bytes.size());
    out.ok = reader.receive(bytes.substr(0, size), out.messages).has_value();
    bytes.remove_prefix(size);
    TRUSS_CHECK(reader.held_bytes() <= (1u << 16));
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(reinterpret_cast<const char*>(data), size);
  const Outcome whole = read(bytes, size + 1);
  TRUSS_CHECK(whole == read(bytes, 1));
  TRUSS_CHECK(whole == read(bytes, 7));
  // 3.4 has no fields for votes and responses, 3.6 has all.
  std::string again;
  for (const raft::Message& m : whole.messages) {
    write_message_frame(m, raft::MessageForm::k36, again);
  }
  MessageStreamReader reader(1u << 24);
  std::vector<raft::Message> messages;
  TRUSS_CHECK(reader.receive(again, messages).has_value());
  TRUSS_CHECK(messages == whole.messages);
  return 0;
}
