#pragma once

#include <string>
#include <vector>

#include "truss/common/bytes.h"

/// JSON text as Go's encoding/json writes it, so that documents compare byte for byte.
namespace truss::snap {

/// Appends a quoted string: `<`, `>`, `&`, U+2028 and U+2029 escaped, invalid UTF-8 replaced by
/// U+FFFD.
void append_json_string(std::string& out, ByteView text);
/// Appends `["a","b"]`.
void append_json_strings(std::string& out, const std::vector<std::string>& texts);

}  // namespace truss::snap
