#include "json.h"

#include <rapidjson/document.h>

#include "truss/schema/membership.h"

namespace truss::schema {

namespace {

/// Bytes of the valid UTF-8 sequence at the start of `text`, 0 if it is not valid.
std::size_t utf8_length(ByteView text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = at(0);
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xC2 ? 0
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                             : lead < 0xF5 ? 4
                                           : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((at(i) & 0xC0) != 0x80) return 0;
  const bool bad = (lead == 0xE0 && at(1) < 0xA0) || (lead == 0xED && at(1) > 0x9F) ||
                   (lead == 0xF0 && at(1) < 0x90) || (lead == 0xF4 && at(1) > 0x8F);
  return bad ? 0 : length;
}

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
    return;
  }
  out.push_back('[');
  for (const std::string& text : texts) {
    append_json_string(out, text);
    out.push_back(',');
  }
  out.back() = ']';
}

namespace {

void append_escape(std::string& out, unsigned code) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += "\\u00";
  out.push_back(kHex[code >> 4]);
  out.push_back(kHex[code & 15]);
}

void append_ascii(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  if (static_cast<unsigned char>(c) < 0x20 || c == '<' || c == '>' || c == '&')
    append_escape(out, static_cast<unsigned char>(c));
  else
    out.push_back(c);
}

}  // namespace

void append_json_string(std::string& out, ByteView text) {
  out.push_back('"');
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const ByteView rune = text.substr(0, length == 0 ? 1 : length);
    if (length == 0)
      out += "\\ufffd";
    else if (length == 1)
      append_ascii(out, text[0]);
    else if (rune == "\xE2\x80\xA8")
      out += "\\u2028";
    else if (rune == "\xE2\x80\xA9")
      out += "\\u2029";
    else
      out += rune;
    text.remove_prefix(rune.size());
  }
  out.push_back('"');
}

}  // namespace truss::schema
