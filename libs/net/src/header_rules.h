#pragma once

#include <cstdint>
#include <string_view>

namespace truss::net {

/// Checks the fields of one header block, in order, against RFC 9113 §8.2 and §8.3, as leniently
/// as grpc-go: pseudo fields may be missing, `:authority` may be any text (etcd's clients have put
/// `#initially=[…]` there), fields of the connection and `content-length` are not looked at.
class HeaderRules {
 public:
  enum class Block : std::uint8_t { kRequest, kResponse, kTrailers };

  /// Starts a block.
  void begin(Block block);
  /// False for a field that makes the message malformed.
  bool accept(std::string_view name, std::string_view value);

 private:
  bool accept_pseudo(std::string_view name);

  Block block_ = Block::kRequest;
  std::uint8_t seen_ = 0;  ///< pseudo fields, one bit each
  bool regular_seen_ = false;
};

}  // namespace truss::net
