#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "truss/common/bytes.h"

namespace truss::peer {

/// Cuts a stream of pieces into parts of known size. Holds only bytes that have arrived, and only
/// of a part that a piece's end cut; a part inside one piece is not copied.
///
/// Thread: one.
class Gather {
 public:
  /// Takes bytes off the front of `input`. Returns the next `size` bytes once they are all there
  /// (valid until the next call or until `input`'s bytes go), else nullopt with `input` used up.
  /// A part must be asked for with the same size until it comes.
  std::optional<ByteView> take(ByteView& input, std::size_t size);
  /// Bytes held of an unfinished part.
  std::size_t held_bytes() const { return full_ ? 0 : held_.size(); }

 private:
  std::string held_;
  bool full_ = false;  ///< held_ was given out
};

}  // namespace truss::peer
