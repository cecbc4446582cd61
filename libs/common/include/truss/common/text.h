#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "truss/common/bytes.h"

/// UTF-8, hex digits, and the ways in which text is quoted here: byte for byte as the peers and
/// clients that we are compared with do it.
namespace truss {

/// Length of the valid UTF-8 sequence at the start of `text` (not empty), 0 if there is none.
/// Surrogates, overlong forms and code points above U+10FFFF are not valid.
std::size_t utf8_length(ByteView text);
bool valid_utf8(ByteView text);
/// Appends a code point below 0x110000.
void append_utf8(std::string& out, unsigned code);

/// Value of a hex digit of either case, -1 if it is none.
constexpr int hex_digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// `%41` to `A`; malformed escapes stay. With `plus_is_blank` (queries) `+` is a blank.
std::string percent_decode(std::string_view text, bool plus_is_blank = false);

/// Who the text is written as. All escape `"`, `\` and control characters.
enum class JsonStyle : std::uint8_t {
  kLog,       ///< zap: nothing more; invalid UTF-8 becomes `\ufffd`
  kGo,        ///< Go's encoding/json: also `<`, `>`, `&`, U+2028 and U+2029
  kProtobuf,  ///< Go's protojson: `\b` and `\f`; invalid UTF-8 becomes U+FFFD itself
};
/// Appends `text` as a JSON string, quotes included.
void append_json_string(std::string& out, ByteView text, JsonStyle style = JsonStyle::kGo);
/// Appends `["a","b"]`.
void append_json_strings(std::string& out, const std::vector<std::string>& texts,
                         JsonStyle style = JsonStyle::kGo);

}  // namespace truss
