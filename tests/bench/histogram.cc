#include "histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace truss::bench {

std::size_t Histogram::slot(std::uint64_t value) {
  if (value < (1u << kSubBits)) return static_cast<std::size_t>(value);
  const int top = std::bit_width(value) - 1;
  const auto sub = (value >> (top - kSubBits)) & ((1u << kSubBits) - 1);
  const auto octave = static_cast<std::size_t>(top - kSubBits + 1);
  return std::min<std::size_t>((octave << kSubBits) + sub, (kOctaves << kSubBits) - 1);
}

double Histogram::middle(std::size_t slot) {
  const std::size_t octave = slot >> kSubBits;
  const auto sub = static_cast<double>(slot & ((1u << kSubBits) - 1));
  if (octave == 0) return sub;
  const double width = std::ldexp(1.0, static_cast<int>(octave) - 1);
  return ((1u << kSubBits) + sub + 0.5) * width;
}

void Histogram::add(std::int64_t nanoseconds) {
  ++slots_[slot(static_cast<std::uint64_t>(std::max<std::int64_t>(nanoseconds, 0)))];
  ++count_;
}

double Histogram::quantile(double share) const {
  const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(count_));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    seen += slots_[i];
    if (seen > wanted || (seen == count_ && count_ > 0)) return middle(i);
  }
  return 0;
}

}  // namespace truss::bench
