#pragma once

#include <cstdint>
#include <cstdlib>

namespace truss::test_support {

/// How much a test labelled long does: `whole`, or the share of it that `scripts/soak` was asked
/// for (TRUSS_SOAK_PERCENT), at least 1.
inline std::uint64_t soak_share(std::uint64_t whole) {
  const char* percent = std::getenv("TRUSS_SOAK_PERCENT");
  if (percent == nullptr) return whole;
  const std::uint64_t share = whole * std::strtoull(percent, nullptr, 10) / 100;
  return share > 0 ? share : 1;
}

}  // namespace truss::test_support
