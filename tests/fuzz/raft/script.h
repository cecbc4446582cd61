#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "truss/common/bytes.h"
#include "truss/raft/status.h"
#include "truss/raft/types.h"

namespace truss::raft {

/// Reads an input of the fuzzer as a script; past its end everything is zero.
class Script {
 public:
  explicit Script(ByteView bytes) : rest_(bytes) {}
  bool done() const { return rest_.empty(); }
  std::uint8_t byte();
  /// Up to `size` bytes.
  ByteView take(std::size_t size);

 private:
  ByteView rest_;
};

/// A message in ten bytes or so, its terms and indexes near those of a node with `status`, so that
/// few changes of the input make the difference between the usual and the absurd.
Message near_message(Script& script, const BasicStatus& status);
/// Any message, as the bytes that come over the wire; nothing if they are no message.
std::optional<Message> wire_message(Script& script);

}  // namespace truss::raft
