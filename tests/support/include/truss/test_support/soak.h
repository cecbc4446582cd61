#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace truss::test_support {

/// The share of the long tests that `scripts/soak` was asked for, in percent (TRUSS_SOAK_PERCENT).
inline std::uint64_t soak_percent() {
  const char* percent = std::getenv("TRUSS_SOAK_PERCENT");
  return percent == nullptr ? 100 : std::max(1ULL, std::strtoull(percent, nullptr, 10));
}

/// How much a test labelled long does: that share of `whole`, at least 1.
inline std::uint64_t soak_share(std::uint64_t whole) {
  return std::max<std::uint64_t>(1, whole * soak_percent() / 100);
}

/// Of what it tries one by one, it tries each so-manyth.
inline std::uint64_t soak_stride() { return std::max<std::uint64_t>(1, 100 / soak_percent()); }

}  // namespace truss::test_support
