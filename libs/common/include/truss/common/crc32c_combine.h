#pragma once

#include <cstdint>

namespace truss {

/// The CRC-32C of two pieces one after the other, from those of each: `first` as crc32c() gives it,
/// `second` as crc32c() gives it with seed 0, for a piece of `second_bytes`.
std::uint32_t crc32c_combine(std::uint32_t first, std::uint32_t second, std::uint64_t second_bytes);

}  // namespace truss
