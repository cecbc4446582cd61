#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "truss/common/bytes.h"
#include "truss/peer/observer.h"

/// The numbers of messages: line in the upper 16 bits, index in the lower 48.
namespace truss::peertool {

inline constexpr int kIndexBits = 48;
constexpr std::uint64_t number_of(std::uint64_t line, std::uint64_t index) {
  return line << kIndexBits | index;
}
constexpr std::uint64_t line_of(std::uint64_t number) { return number >> kIndexBits; }
constexpr std::uint64_t index_of(std::uint64_t number) {
  return number & ((std::uint64_t{1} << kIndexBits) - 1);
}

/// A heartbeat's context, which its answer brings back. Format: `peerbench` · channel · u64 be.
SharedBytes context_of(peer::Channel channel, std::uint64_t number);
/// The number, if it is one of ours.
std::optional<std::uint64_t> number_in(ByteView context);

}  // namespace truss::peertool
