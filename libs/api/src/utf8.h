#pragma once

#include <cstddef>
#include <string>

#include "truss/common/bytes.h"

namespace truss::api {

/// Length of the valid UTF-8 sequence at the start of `in` (not empty), 0 if there is none.
std::size_t utf8_length(ByteView in);
bool valid_utf8(ByteView in);
/// Appends a code point below 0x110000.
void append_utf8(std::string& out, unsigned code);

}  // namespace truss::api
