#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "truss/common/bytes.h"

namespace truss::snap {

/// `%016x`
std::string hex16(std::uint64_t value);
/// `%x`
std::string hex(std::uint64_t value);
/// The number of 1 to 16 lower-case hex digits; nullopt for anything else.
std::optional<std::uint64_t> parse_hex(ByteView text);

}  // namespace truss::snap
