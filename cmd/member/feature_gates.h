#pragma once

#include <map>
#include <string>
#include <string_view>

#include "truss/common/error.h"

namespace truss::member {

/// What `--feature-gates=Name=bool,…` switched.
struct FeatureGates {
  bool initial_corrupt_check = false;
  bool lease_checkpoint = false;
  bool lease_checkpoint_persist = false;
  std::map<std::string, bool> given;

  /// Errors: a gate is on that this member can't honour and whose absence would change safety.
  Result<> check_supported() const;
};

/// Errors: kInvalidArgument naming an unknown gate or a bad value.
Result<FeatureGates> parse_feature_gates(std::string_view text);

}  // namespace truss::member
