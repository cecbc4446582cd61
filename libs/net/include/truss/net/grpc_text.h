#pragma once

#include <string>
#include <string_view>

#include "truss/common/bytes.h"
#include "truss/common/clock.h"
#include "truss/common/error.h"

namespace truss::net {

/// `grpc-message` as grpc-go writes it: printable ASCII except `%` as is, else `%XX`.
std::string encode_grpc_message(std::string_view text);
/// The reverse; a malformed escape is kept as it stands.
std::string decode_grpc_message(std::string_view text);

/// `grpc-timeout`: 1 to 8 digits and a unit of H M S m u n.
/// Errors: kInternal with grpc-go's text `malformed grpc-timeout: …`.
Result<Duration> parse_grpc_timeout(std::string_view text);
/// Shortest form of at most 8 digits that is not shorter than `timeout`; `0n` if not positive.
std::string format_grpc_timeout(Duration timeout);

/// Base64 of `-bin` metadata as grpc-go takes it: padded if its length is a multiple of four, else
/// unpadded.
Result<std::string> decode_base64(std::string_view text);

/// True for `application/grpc`, `application/grpc+x`, `application/grpc;x`; `subtype` gets the x
/// of the second form.
bool parse_grpc_content_type(std::string_view text, std::string_view& subtype);

}  // namespace truss::net
