#include "truss/measure/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace truss::measure {

std::size_t Histogram::slot(std::uint64_t value) {
  if (value < (1u << kSubBits)) return static_cast<std::size_t>(value);
  const int top = std::bit_width(value) - 1;
  const auto sub = (value >> (top - kSubBits)) & ((1u << kSubBits) - 1);
  const auto octave = static_cast<std::size_t>(top - kSubBits + 1);
  return std::min<std::size_t>((octave << kSubBits) + sub, kSlots - 1);
}

std::uint64_t Histogram::low_of(std::size_t slot) {
  const std::size_t octave = slot >> kSubBits;
  const std::uint64_t sub = slot & ((1u << kSubBits) - 1);
  if (octave == 0) return sub;
  return ((std::uint64_t{1} << kSubBits) + sub) << (octave - 1);
}

void Histogram::add(std::int64_t nanoseconds, std::uint64_t times) {
  if (times == 0) return;
  const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(nanoseconds, 0));
  const std::size_t at = slot(value);
  if (at >= slots_.size()) slots_.resize(at + 1);
  slots_[at] += times;
  count_ += times;
  least_ = std::min(least_, value);
  greatest_ = std::max(greatest_, value);
  sum_ += static_cast<double>(value) * static_cast<double>(times);
}

void Histogram::merge(const Histogram& other) {
  if (other.slots_.size() > slots_.size()) slots_.resize(other.slots_.size());
  for (std::size_t i = 0; i < other.slots_.size(); ++i) slots_[i] += other.slots_[i];
  count_ += other.count_;
  least_ = std::min(least_, other.least_);
  greatest_ = std::max(greatest_, other.greatest_);
  sum_ += other.sum_;
}

double Histogram::mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }

double Histogram::quantile(double share) const {
  if (count_ == 0) return 0;
  const double exact = std::ceil(share * static_cast<double>(count_) - 1e-9);
  const auto rank =
      std::clamp<std::uint64_t>(exact < 1 ? 1 : static_cast<std::uint64_t>(exact), 1, count_);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    seen += slots_[i];
    if (seen < rank) continue;
    const double middle = static_cast<double>(low_of(i) + low_of(i + 1) - 1) / 2;
    return std::clamp(middle, static_cast<double>(least_), static_cast<double>(greatest_));
  }
  return static_cast<double>(greatest_);
}

std::uint64_t Histogram::count_above(Duration bound) const {
  const std::size_t first =
      slot(static_cast<std::uint64_t>(std::max<std::int64_t>(bound.count(), 0))) + 1;
  std::uint64_t out = 0;
  for (std::size_t i = first; i < slots_.size(); ++i) out += slots_[i];
  return out;
}

std::vector<Histogram::Bucket> Histogram::buckets() const {
  std::vector<Bucket> out;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i] > 0) out.push_back({low_of(i), low_of(i + 1), slots_[i]});
  }
  return out;
}

Histogram Histogram::from_buckets(const std::vector<Bucket>& buckets) {
  Histogram out;
  for (const Bucket& b : buckets) {
    const std::uint64_t middle = b.low_ns + (std::max(b.end_ns, b.low_ns + 1) - 1 - b.low_ns) / 2;
    out.add(static_cast<std::int64_t>(std::min<std::uint64_t>(middle, INT64_MAX)), b.count);
  }
  return out;
}

}  // namespace truss::measure
