#pragma once

#include <string>
#include <string_view>

#include "truss/net/http.h"

namespace truss::net {

/// Fills path and query from target (origin form, or absolute form as proxies send it).
void split_target(HttpRequest& request);

}  // namespace truss::net
