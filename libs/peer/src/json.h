#pragma once

#include <rapidjson/document.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "truss/common/error.h"

/// Reading of small JSON bodies. A field that is absent, null or of another type is nullopt.
namespace truss::peer {

/// Parses without recursion. Errors: kInvalidArgument for what is no JSON or above `limit_bytes`.
Result<rapidjson::Document> parse_json(std::string_view text, std::size_t limit_bytes);

const rapidjson::Value* json_field(const rapidjson::Value& object, const char* name);
std::optional<std::string> json_string(const rapidjson::Value& object, const char* name);
std::optional<std::int64_t> json_int(const rapidjson::Value& object, const char* name);
std::optional<std::uint64_t> json_uint(const rapidjson::Value& object, const char* name);
std::optional<bool> json_bool(const rapidjson::Value& object, const char* name);
/// Empty too for an array with anything but strings in it.
std::vector<std::string> json_strings(const rapidjson::Value& object, const char* name);

}  // namespace truss::peer
