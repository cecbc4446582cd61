#include "json.h"

namespace truss::peer {

Result<rapidjson::Document> parse_json(std::string_view text, std::size_t limit_bytes) {
  if (text.size() > limit_bytes) {
    return fail(Code::kInvalidArgument, "json: body of " + std::to_string(text.size()) +
                                            " bytes (limit " + std::to_string(limit_bytes) + ")");
  }
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
  if (document.HasParseError()) {
    return fail(Code::kInvalidArgument,
                "json: malformed at byte " + std::to_string(document.GetErrorOffset()));
  }
  return document;
}

const rapidjson::Value* json_field(const rapidjson::Value& object, const char* name) {
  if (!object.IsObject()) return nullptr;
  const auto found = object.FindMember(name);
  return found == object.MemberEnd() ? nullptr : &found->value;
}

std::optional<std::string> json_string(const rapidjson::Value& object, const char* name) {
  const rapidjson::Value* value = json_field(object, name);
  if (value == nullptr || !value->IsString()) return std::nullopt;
  return std::string(value->GetString(), value->GetStringLength());
}

std::optional<std::int64_t> json_int(const rapidjson::Value& object, const char* name) {
  const rapidjson::Value* value = json_field(object, name);
  if (value == nullptr || !value->IsInt64()) return std::nullopt;
  return value->GetInt64();
}

std::optional<std::uint64_t> json_uint(const rapidjson::Value& object, const char* name) {
  const rapidjson::Value* value = json_field(object, name);
  if (value == nullptr || !value->IsUint64()) return std::nullopt;
  return value->GetUint64();
}

std::optional<bool> json_bool(const rapidjson::Value& object, const char* name) {
  const rapidjson::Value* value = json_field(object, name);
  if (value == nullptr || !value->IsBool()) return std::nullopt;
  return value->GetBool();
}

std::vector<std::string> json_strings(const rapidjson::Value& object, const char* name) {
  const rapidjson::Value* value = json_field(object, name);
  std::vector<std::string> out;
  if (value == nullptr || !value->IsArray()) return out;
  for (const auto& text : value->GetArray()) {
    if (!text.IsString()) return {};
    out.emplace_back(text.GetString(), text.GetStringLength());
  }
  return out;
}

}  // namespace truss::peer
