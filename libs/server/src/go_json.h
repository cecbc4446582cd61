#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace truss::server {

/// Appends `text` as Go's encoding/json writes a string: `<`, `>`, `&`, U+2028, U+2029 and control
/// characters as \u00xx, broken UTF-8 as \ufffd.
void append_go_string(std::string& out, std::string_view text);
/// Appends a list of strings: `["a","b"]`.
void append_go_strings(std::string& out, const std::vector<std::string>& texts);

}  // namespace truss::server
