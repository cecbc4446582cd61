#pragma once

#include <string>

#include "truss/common/bytes.h"
#include "truss/common/error.h"

/// Base64 in the standard alphabet. Errors: kInvalidArgument with Go's text
/// `illegal base64 data at input byte N`.
namespace truss {

/// With padding.
std::string base64_encode(ByteView bytes);
/// Without.
std::string base64_encode_unpadded(ByteView bytes);

/// Strict: padding needed; CR and LF are skipped.
Result<std::string> base64_decode(ByteView text);
/// As base64_decode, but padding is not allowed.
Result<std::string> base64_decode_unpadded(ByteView text);
/// As protojson: standard or URL-safe alphabet, padding optional.
Result<std::string> base64_decode_lenient(ByteView text);

}  // namespace truss
