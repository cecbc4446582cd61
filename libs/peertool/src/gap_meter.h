#pragma once

#include <optional>
#include <vector>

#include "truss/common/clock.h"
#include "truss/measure/histogram.h"

namespace truss::peertool {

/// Gaps between arrivals, in batches. Thread: one.
class GapMeter {
 public:
  explicit GapMeter(std::uint64_t batch_gaps = 100) : batch_gaps_(batch_gaps) {}

  void arrived(MonoTime at) {
    if (last_) add(at - *last_);
    last_ = at;
  }
  /// The next arrival ends no gap.
  void pause() { last_.reset(); }
  std::uint64_t count() const { return count_; }
  const std::vector<measure::Histogram>& batches() const { return batches_; }
  measure::Histogram all() const {
    measure::Histogram out;
    for (const auto& batch : batches_) out.merge(batch);
    return out;
  }

 private:
  void add(Duration gap) {
    if (batches_.empty() || batches_.back().count() >= batch_gaps_) batches_.emplace_back();
    batches_.back().add(gap);
    ++count_;
  }

  const std::uint64_t batch_gaps_;
  std::optional<MonoTime> last_;
  std::uint64_t count_ = 0;
  std::vector<measure::Histogram> batches_;
};

}  // namespace truss::peertool
