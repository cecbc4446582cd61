#include "truss/common/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>

namespace truss {

std::uint32_t crc32c(ByteView bytes, std::uint32_t seed) {
  // isa-l keeps the raw register: no init or final inversion of its own; its length is an int.
  constexpr std::size_t kMaxPiece = std::size_t{1} << 30;
  std::uint32_t raw = ~seed;
  while (!bytes.empty()) {
    const ByteView piece = bytes.substr(0, std::min(bytes.size(), kMaxPiece));
    auto* p = reinterpret_cast<unsigned char*>(const_cast<char*>(piece.data()));  // it only reads
    raw = crc32_iscsi(p, static_cast<int>(piece.size()), raw);
    bytes.remove_prefix(piece.size());
  }
  return ~raw;
}

}  // namespace truss
