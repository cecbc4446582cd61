#pragma once

#include <map>
#include <string>

#include "model_log.h"
#include "truss/waltool/judge.h"
#include "truth.h"

namespace truss::walctl_test {

using Files = std::map<std::string, std::string>;

/// The evidence of these segments, with what lies beside them.
waltool::Evidence evidence_of(const Files& files, const Beside& beside);

/// `LOST 3..7`
std::string text(const Truth& truth);

}  // namespace truss::walctl_test
