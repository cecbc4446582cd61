#include "feature_gates.h"

#include <algorithm>
#include <array>

#include "go_args.h"
#include "settings.h"

namespace truss::member {
namespace {

constexpr std::array<std::string_view, 11> kGates = {"AllAlpha",
                                                     "AllBeta",
                                                     "CompactHashCheck",
                                                     "FastLeaseKeepAlive",
                                                     "InitialCorruptCheck",
                                                     "LeaseCheckpoint",
                                                     "LeaseCheckpointPersist",
                                                     "PriorityRequest",
                                                     "SetMemberLocalAddr",
                                                     "StopGRPCServiceOnDefrag",
                                                     "TxnModeWriteWithSharedBuffer"};

Unexpected bad(std::string text) {
  return fail(Code::kInvalidArgument, "--feature-gates: " + std::move(text));
}

}  // namespace

Result<FeatureGates> parse_feature_gates(std::string_view text) {
  FeatureGates out;
  if (text.empty()) return out;
  for (const std::string& part : split(text, ',')) {
    const auto equals = part.find('=');
    if (equals == std::string::npos) return bad("missing bool value for " + part);
    const std::string name = part.substr(0, equals);
    const auto value = parse_go_bool(part.substr(equals + 1));
    if (!value) return bad("invalid value of " + part + ", err: parse error");
    if (std::find(kGates.begin(), kGates.end(), name) == kGates.end()) {
      return bad("unrecognized feature gate: " + name);
    }
    out.given[name] = *value;
  }
  const auto on = [&](const char* name) {
    const auto it = out.given.find(name);
    return it != out.given.end() && it->second;
  };
  out.initial_corrupt_check = on("InitialCorruptCheck");
  out.lease_checkpoint = on("LeaseCheckpoint");
  out.lease_checkpoint_persist = on("LeaseCheckpointPersist");
  return out;
}

Result<> FeatureGates::check_supported() const {
  for (const char* name : {"CompactHashCheck", "AllAlpha"}) {
    const auto it = given.find(name);
    if (it != given.end() && it->second) {
      return bad(std::string(name) +
                 " is not supported yet, and ignoring it would not be safe; remove it to start");
    }
  }
  return {};
}

}  // namespace truss::member
