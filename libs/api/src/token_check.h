#pragma once

#include "api_errors.h"
#include "context.h"
#include "method.h"

namespace truss::api {

/// With auth off a token can't be valid: 3.4.23 refuses it where it looks at it, later releases
/// don't look.
inline Result<> check_token(const Context& context, const CallInfo& info) {
  if (info.token.empty() || context.level() > server::CompatLevel::k34) return {};
  return Unexpected(errors::invalid_auth_token());
}

}  // namespace truss::api
