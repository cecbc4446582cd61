#pragma once

#include <cstdint>

#include "truss/common/coding.h"

namespace truss::snaptool {

/// 128 bits that stand for a key where a million keys would take too much memory. Two keys of one
/// file share one with a probability below 2^-80.
struct Fingerprint {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  friend auto operator<=>(const Fingerprint&, const Fingerprint&) = default;
};

struct FingerprintHash {
  std::size_t operator()(const Fingerprint& f) const { return f.low; }
};

namespace fingerprint_detail {

__extension__ using Wide = unsigned __int128;

inline std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace fingerprint_detail

inline Fingerprint fingerprint(ByteView key) {
  using fingerprint_detail::fold;
  // Digits of pi, e, and the roots of 2 and 3: odd, with as many ones as zeros.
  constexpr std::uint64_t k1 = 0x243f6a8885a308d3, k2 = 0xb7e151628aed2a6b;
  constexpr std::uint64_t k3 = 0x6a09e667f3bcc909, k4 = 0xbb67ae8584caa73b;
  std::uint64_t a = k1 ^ key.size(), b = k3 + key.size();
  const auto mix = [&](std::uint64_t x, std::uint64_t y) {
    a = fold(a ^ x, y ^ k2) + b;
    b = fold(b ^ y, x ^ k4) ^ a;
  };
  const char* p = key.data();
  std::size_t left = key.size();
  for (; left >= 16; left -= 16, p += 16) {
    mix(load_le<std::uint64_t>(p), load_le<std::uint64_t>(p + 8));
  }
  char tail[16] = {};
  if (left > 0) std::memcpy(tail, p, left);
  mix(load_le<std::uint64_t>(tail), load_le<std::uint64_t>(tail + 8));
  mix(a ^ k1, b ^ k3);
  return {a, b};
}

}  // namespace truss::snaptool
