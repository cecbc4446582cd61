#pragma once

#include <string>
#include <string_view>

#include "truss/net/http.h"

namespace truss::net {

/// `%41` to `A`; malformed escapes stay. In queries `+` is a blank.
std::string percent_decode(std::string_view text, bool plus_is_blank);

/// Fills path and query from target (origin form, or absolute form as proxies send it).
void split_target(HttpRequest& request);

}  // namespace truss::net
