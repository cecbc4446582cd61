#pragma once

#include <string>

#include "truss/common/bytes.h"
#include "truss/common/error.h"

namespace truss::api {

/// Standard alphabet with padding.
std::string base64_encode(ByteView bytes);

/// Strict: standard alphabet, padding needed; CR and LF are skipped. Errors: Go's text
/// `illegal base64 data at input byte N`.
Result<std::string> base64_decode(ByteView text);

/// As protojson: standard or URL-safe alphabet, padding optional.
Result<std::string> base64_decode_lenient(ByteView text);

}  // namespace truss::api
