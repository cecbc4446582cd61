#include <cstdint>

#include "truss/common/check.h"
#include "truss/raft/codec.h"

// Any bytes as each raftpb message: what decodes comes back equal from its own encoding.

using namespace truss;
using namespace truss::raft;

namespace {

template <class T>
void check(Result<T> (*decode)(ByteView), ByteView bytes) {
  const auto value = decode(bytes);
  if (value) TRUSS_CHECK(decode(encoded(*value)).value() == *value);
}

void check_message(ByteView bytes) {
  const auto message = decode_message(bytes);
  if (!message) return;
  TRUSS_CHECK(decode_message(encoded(*message, MessageForm::k36)).value() == *message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(reinterpret_cast<const char*>(data), size);
  check(&decode_entry, bytes);
  check(&decode_hard_state, bytes);
  check(&decode_conf_state, bytes);
  check(&decode_snapshot, bytes);
  check(&decode_conf_change, bytes);
  check(&decode_conf_change_v2, bytes);
  check_message(bytes);
  return 0;
}
