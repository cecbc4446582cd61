#pragma once

#include <string>
#include <vector>

#include "truss/peertool/report.h"

namespace truss::peertool {

/// One quantile of one distribution that both runs have.
struct Difference {
  std::string name{};
  std::string quantile{};  ///< `p50`, `p99`, `p99.9`
  double earlier_us = 0;
  double later_us = 0;
  double ratio = 0;  ///< later / earlier
  Range ratio_95{};
  std::string verdict{};  ///< `faster`, `slower`, `same` or `too few` (batches to tell)
};

struct Comparison {
  std::string schema = kSchema;
  std::string kind = "comparison";
  std::string earlier{};  ///< subject and date
  std::string later{};
  std::vector<std::string> notes{};
  std::vector<Difference> differences{};
};

/// Distributions of the same name, by resampling their batches. A difference counts if its 95 %
/// interval leaves out 1 and it is more than 5 %. Errors: kFailedPrecondition if the reports are
/// of different kinds or share no distribution.
Result<Comparison> compare(const Report& earlier, const Report& later);
/// True if anything got slower.
bool any_slower(const Comparison& comparison);

std::string render(const Comparison& comparison, tool::Format format);

}  // namespace truss::peertool
