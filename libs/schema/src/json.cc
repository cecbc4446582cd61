#include "json.h"

#include <rapidjson/document.h>

#include "truss/common/text.h"

namespace truss::schema {

namespace {

/// Text as Go decodes it: what is no valid UTF-8 becomes U+FFFD (also a lone surrogate, which
/// RapidJSON lets through as three bytes).
std::string valid_text(const rapidjson::Value& value) {
  ByteView text(value.GetString(), value.GetStringLength());
  std::string out;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const bool surrogate = length == 0 && text.size() >= 3 && text[0] == '\xED' && (text[1] & 0x20);
    out += length > 0 ? text.substr(0, length) : ByteView("\xEF\xBF\xBD");
    text.remove_prefix(length > 0 ? length : surrogate ? 3 : 1);
  }
  return out;
}

}  // namespace

struct JsonObject::Impl {
  rapidjson::Document document;
  /// Null if absent or JSON null.
  const rapidjson::Value* find(const char* field) const {
    const auto it = document.FindMember(field);
    return it == document.MemberEnd() || it->value.IsNull() ? nullptr : &it->value;
  }
};

JsonObject::JsonObject(std::unique_ptr<Impl> impl, std::string what)
    : impl_(std::move(impl)), what_(std::move(what)) {}
JsonObject::JsonObject(JsonObject&&) noexcept = default;
JsonObject::~JsonObject() = default;

Result<JsonObject> JsonObject::parse(ByteView json, std::string what) {
  auto impl = std::make_unique<Impl>();
  // Iterative: hostile nesting must not eat the stack.
  impl->document.Parse<rapidjson::kParseIterativeFlag>(json.data(), json.size());
  if (impl->document.HasParseError() || !impl->document.IsObject())
    return fail(Code::kCorruption, what + ": not a JSON object, bad at byte " +
                                       std::to_string(impl->document.GetErrorOffset()) + " of " +
                                       quoted(json.substr(0, 80)));
  return JsonObject(std::move(impl), std::move(what));
}

Unexpected JsonObject::wrong(const char* field, const char* want) const {
  return fail(Code::kCorruption, what_ + ": field " + field + " is not " + want);
}

Result<std::uint64_t> JsonObject::number(const char* field) const {
  const auto* value = impl_->find(field);
  if (!value) return 0;
  if (!value->IsUint64()) return wrong(field, "a number in [0, 2^64)");
  return value->GetUint64();
}

Result<bool> JsonObject::flag(const char* field) const {
  const auto* value = impl_->find(field);
  if (!value) return false;
  if (!value->IsBool()) return wrong(field, "a bool");
  return value->GetBool();
}

Result<std::string> JsonObject::text(const char* field) const {
  const auto* value = impl_->find(field);
  if (!value) return std::string();
  if (!value->IsString()) return wrong(field, "a string");
  return valid_text(*value);
}

Result<std::vector<std::string>> JsonObject::texts(const char* field) const {
  std::vector<std::string> out;
  const auto* value = impl_->find(field);
  if (!value) return out;
  if (!value->IsArray()) return wrong(field, "a list");
  for (const auto& item : value->GetArray()) {
    if (!item.IsString()) return wrong(field, "a list of strings");
    out.push_back(valid_text(item));
  }
  return out;
}

Result<std::vector<std::uint64_t>> JsonObject::ids(const char* field) const {
  std::vector<std::uint64_t> out;
  const auto* value = impl_->find(field);
  if (!value) return out;
  if (!value->IsArray()) return wrong(field, "a list");
  for (const auto& item : value->GetArray()) {
    if (!item.IsUint64()) return wrong(field, "a list of ids");
    out.push_back(item.GetUint64());
  }
  return out;
}

void append_id_list(std::string& out, const char* name, const std::vector<std::uint64_t>& ids) {
  if (ids.empty()) return;
  out.append("\"").append(name).append("\":[");
  for (const std::uint64_t id : ids) out.append(std::to_string(id)).push_back(',');
  out.back() = ']';
  out.push_back(',');
}

void append_text_list(std::string& out, const std::vector<std::string>& texts) {
  if (texts.empty()) {
    out += "null";
  } else {
    append_json_strings(out, texts);
  }
}

}  // namespace truss::schema
