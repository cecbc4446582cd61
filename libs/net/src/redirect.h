#pragma once

#include <string>
#include <string_view>

namespace truss::net {

/// A path without empty, `.` and `..` elements, with its last slash kept; at least `/`.
std::string clean_path(std::string_view path);

/// Path and query as a Location field says them: what Go leaves in the clear, `%XX` for the rest.
std::string location_of(std::string_view path, std::string_view query);

/// The page that Go's http.Redirect sends with a 301.
std::string moved_page(std::string_view location);

}  // namespace truss::net
