#pragma once

#include <cstdint>

#include "truss/common/bytes.h"

namespace truss {

/// CRC-32C (Castagnoli) of `bytes`, continuing from `seed`, the CRC of what came before (0 at the
/// start): crc32c("a" "b") == crc32c("b", crc32c("a")). Check value of "123456789": e3069283.
std::uint32_t crc32c(ByteView bytes, std::uint32_t seed = 0);

}  // namespace truss
