#pragma once

#include <cstdint>

namespace truss {

/// Source of random numbers; the seed is an input. Thread: one.
class Random {
 public:
  virtual ~Random() = default;
  /// Uniform over all 64-bit values.
  virtual std::uint64_t next() = 0;
  /// Uniform over [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound);
};

/// Deterministic generator (splitmix64) keyed by its seed.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override;

 private:
  std::uint64_t state_;
};

/// 64 bits from the kernel, to seed the generator of a real process.
std::uint64_t entropy64();

}  // namespace truss
