#include "truss/common/crc32c_combine.h"

#include <array>

// A CRC is a polynomial over GF(2) modulo P, kept with its bits reversed: the highest bit is x^0.
// Appending n bytes multiplies what was there by x^(8n).
namespace truss {
namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78;
constexpr std::uint32_t kOne = 0x80000000;

constexpr std::uint32_t multiply(std::uint32_t a, std::uint32_t b) {
  std::uint32_t product = 0;
  for (std::uint32_t bit = kOne; bit != 0; bit >>= 1) {
    if ((a & bit) != 0) product ^= b;
    b = (b & 1) != 0 ? (b >> 1) ^ kPolynomial : b >> 1;
  }
  return product;
}

/// x^(8 * 2^k) for each k.
constexpr std::array<std::uint32_t, 64> make_powers() {
  std::array<std::uint32_t, 64> out{};
  std::uint32_t power = kOne >> 8;
  for (std::uint32_t& entry : out) {
    entry = power;
    power = multiply(power, power);
  }
  return out;
}
constexpr std::array<std::uint32_t, 64> kPowers = make_powers();

}  // namespace

std::uint32_t crc32c_combine(std::uint32_t first, std::uint32_t second,
                             std::uint64_t second_bytes) {
  std::uint32_t shift = kOne;
  for (std::size_t k = 0; second_bytes != 0; ++k, second_bytes >>= 1) {
    if ((second_bytes & 1) != 0) shift = multiply(shift, kPowers[k]);
  }
  return multiply(shift, first) ^ second;
}

}  // namespace truss
