#pragma once

#include <string>

#include "json_text.h"
#include "truss/common/error.h"

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

namespace truss::api {

/// Which gateway's rules apply: grpc-gateway v1 with jsonpb (3.4, 3.5) or v2 with protojson (3.6+).
enum class JsonDialect : unsigned char { kV1, kV2 };

/// Appends `message` as JSON: proto names, declaration order, zero values left out, 64-bit integers
/// as strings, bytes as base64, enums by name (by number where unknown), no spaces.
void append_json(std::string& out, const google::protobuf::Message& message, JsonDialect dialect);

/// Fills `message` from a JSON object. Takes proto and lowerCamel names, numbers as numbers or
/// strings, enums by name or number; ignores unknown names.
/// Errors: kInvalidArgument with Go's text for the dialect.
Result<> from_json(const JsonValue& value, google::protobuf::Message& message, JsonDialect dialect);

}  // namespace truss::api
