#pragma once

#include <string>
#include <string_view>

namespace truss::net {

/// RFC 9110 token: what a method or a field name may be.
bool is_http_token(std::string_view text);
/// Blank, tab, visible ASCII and the bytes above it: what can't end a field.
bool is_http_field_value(std::string_view text);
/// ASCII letters made small.
std::string to_lower(std::string_view text);
/// `Not Found` for 404; `status` for one we never send.
std::string_view reason_of(int status);
/// `&`, `<`, `>` and quotes as entities, as Go's html.EscapeString writes them.
std::string html_escaped(std::string_view text);
/// Equal but for the case of ASCII letters.
bool same_but_for_case(std::string_view a, std::string_view b);

}  // namespace truss::net
