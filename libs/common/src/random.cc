#include "truss/common/random.h"

#include <sys/random.h>

#include "truss/common/check.h"

namespace truss {

std::uint64_t Random::below(std::uint64_t bound) {
  TRUSS_CHECK(bound > 0);
  __extension__ using Wide = unsigned __int128;
  // Multiply-shift; values in the biased low part are drawn again.
  for (;;) {
    const Wide wide = static_cast<Wide>(next()) * bound;
    const auto low = static_cast<std::uint64_t>(wide);
    if (low >= bound || low >= (0 - bound) % bound) return static_cast<std::uint64_t>(wide >> 64);
  }
}

std::uint64_t SeededRandom::next() {
  state_ += 0x9e3779b97f4a7c15;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

std::uint64_t entropy64() {
  std::uint64_t out = 0;
  const auto got = ::getrandom(&out, sizeof out, 0);
  TRUSS_CHECK(got == sizeof out, "getrandom failed");
  return out;
}

}  // namespace truss
