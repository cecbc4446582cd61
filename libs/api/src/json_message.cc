#include "json_message.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "truss/common/base64.h"

namespace truss::api {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using Kind = JsonValue::Kind;

// ---- out ----

class Printer {
 public:
  Printer(std::string& out, JsonDialect dialect)
      : out_(out), style_(dialect == JsonDialect::kV1 ? JsonStyle::kGo : JsonStyle::kProtobuf) {}

  void message(const Message& m) {
    const Descriptor& type = *m.GetDescriptor();
    const Reflection& r = *m.GetReflection();
    out_ += '{';
    bool first = true;
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& f = *type.field(i);
      if (f.is_repeated() ? r.FieldSize(m, &f) == 0 : !r.HasField(m, &f)) continue;
      if (!first) out_ += ',';
      first = false;
      append_json_string(out_, f.name(), style_);
      out_ += ':';
      f.is_repeated() ? list(m, r, f) : single(m, r, f);
    }
    out_ += '}';
  }

 private:
  void list(const Message& m, const Reflection& r, const FieldDescriptor& f) {
    out_ += '[';
    for (int i = 0; i < r.FieldSize(m, &f); ++i) {
      if (i > 0) out_ += ',';
      element(m, r, f, i);
    }
    out_ += ']';
  }

  void text(const FieldDescriptor& f, const std::string& value) {
    if (f.type() == FieldDescriptor::TYPE_BYTES) {
      out_ += '"' + base64_encode(value) + '"';
    } else {
      append_json_string(out_, value, style_);
    }
  }
  void quoted_number(const std::string& digits) { out_ += '"' + digits + '"'; }
  void enumerator(const FieldDescriptor& f, int number) {
    const EnumValueDescriptor* value = f.enum_type()->FindValueByNumber(number);
    out_ += value ? '"' + value->name() + '"' : std::to_string(number);
  }

  void single(const Message& m, const Reflection& r, const FieldDescriptor& f) {
    std::string scratch;
    switch (f.cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return message(r.GetMessage(m, &f));
      case FieldDescriptor::CPPTYPE_STRING:
        return text(f, r.GetStringReference(m, &f, &scratch));
      case FieldDescriptor::CPPTYPE_INT64:
        return quoted_number(std::to_string(r.GetInt64(m, &f)));
      case FieldDescriptor::CPPTYPE_UINT64:
        return quoted_number(std::to_string(r.GetUInt64(m, &f)));
      case FieldDescriptor::CPPTYPE_UINT32:
        out_ += std::to_string(r.GetUInt32(m, &f));
        return;
      case FieldDescriptor::CPPTYPE_INT32:
        out_ += std::to_string(r.GetInt32(m, &f));
        return;
      case FieldDescriptor::CPPTYPE_BOOL:
        out_ += r.GetBool(m, &f) ? "true" : "false";
        return;
      case FieldDescriptor::CPPTYPE_ENUM:
        return enumerator(f, r.GetEnumValue(m, &f));
      default:
        out_ += "null";  // no floating point in this API
    }
  }

  void element(const Message& m, const Reflection& r, const FieldDescriptor& f, int i) {
    std::string scratch;
    switch (f.cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return message(r.GetRepeatedMessage(m, &f, i));
      case FieldDescriptor::CPPTYPE_STRING:
        return text(f, r.GetRepeatedStringReference(m, &f, i, &scratch));
      case FieldDescriptor::CPPTYPE_ENUM:
        return enumerator(f, r.GetRepeatedEnumValue(m, &f, i));
      default:
        out_ += "null";  // no other repeated scalars in this API
    }
  }

  std::string& out_;
  JsonStyle style_;
};

// ---- in ----

Unexpected invalid(std::string message) { return fail(Code::kInvalidArgument, std::move(message)); }

std::string_view kind_word(Kind kind) {
  switch (kind) {
    case Kind::kBool:
      return "bool";
    case Kind::kNumber:
      return "number";
    case Kind::kString:
      return "string";
    case Kind::kArray:
      return "array";
    case Kind::kObject:
      return "object";
    case Kind::kNull:
      break;
  }
  return "null";
}

// Go's words for a value of the wrong kind. A number is shown where an integer was wanted.
std::string wrong_kind(const JsonValue& v, std::string_view go_type) {
  std::string what(kind_word(v.kind));
  const bool integer = go_type.find("int") == 0 || go_type.find("uint") == 0;
  if (v.kind == Kind::kNumber && integer) what += " " + std::string(v.raw);
  return "json: cannot unmarshal " + what + " into Go value of type " + std::string(go_type);
}

std::string_view go_type(const FieldDescriptor& f) {
  switch (f.type()) {
    case FieldDescriptor::TYPE_BOOL:
      return "bool";
    case FieldDescriptor::TYPE_STRING:
      return "string";
    case FieldDescriptor::TYPE_BYTES:
      return "[]uint8";
    case FieldDescriptor::TYPE_INT64:
      return "int64";
    case FieldDescriptor::TYPE_UINT64:
      return "uint64";
    case FieldDescriptor::TYPE_UINT32:
      return "uint32";
    case FieldDescriptor::TYPE_ENUM:
      return "int32";
    default:
      return "int32";
  }
}

std::string_view proto_type(const FieldDescriptor& f) {
  return f.type() == FieldDescriptor::TYPE_ENUM ? "enum" : f.type_name();
}

// `etcdserverpb.RangeRequest_SortOrder`.
std::string go_enum_name(const google::protobuf::EnumDescriptor& type) {
  std::string name = type.full_name().substr(type.file()->package().size() + 1);
  std::replace(name.begin(), name.end(), '.', '_');
  return type.file()->package() + "." + name;
}

template <class Int>
bool parse_int(ByteView text, Int& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

// protojson also takes 1.0 and 1e3 where the value is whole and exact.
template <class Int>
bool parse_whole(ByteView text, Int& out) {
  if (parse_int(text, out)) return true;
  double d = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), d);
  if (error != std::errc() || end != text.data() + text.size() || d != std::trunc(d)) return false;
  const double limit = std::ldexp(1.0, std::numeric_limits<Int>::digits);
  if (d >= limit || d < (std::is_signed_v<Int> ? -limit : 0)) return false;
  out = static_cast<Int>(d);
  return true;
}

class Filler {
 public:
  explicit Filler(JsonDialect dialect) : v2_(dialect == JsonDialect::kV2) {}

  Result<> message(const JsonValue& v, Message& m) {
    if (v.kind == Kind::kNull && !v2_) return {};
    if (v.kind != Kind::kObject) {
      if (v2_) return invalid("proto: syntax error: unexpected token " + std::string(v.raw));
      return invalid(wrong_kind(v, "map[string]json.RawMessage"));
    }
    const Descriptor& type = *m.GetDescriptor();
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& f = *type.field(i);
      TRUSS_ASSIGN(const JsonValue* value, find(v, f));
      if (value == nullptr || value->kind == Kind::kNull) continue;
      TRUSS_TRY(field(*value, m, f));
    }
    return {};
  }

 private:
  // The member of `v` that sets `f`: the last one, the lowerCamel name before the proto name.
  // protojson refuses repeats, and a second member of a oneof.
  Result<const JsonValue*> find(const JsonValue& v, const FieldDescriptor& f) {
    const JsonValue* by_name = nullptr;
    const JsonValue* by_camel = nullptr;
    int hits = 0;
    for (const auto& [name, value] : v.members) {
      if (name == f.json_name()) {
        by_camel = &value, ++hits;
      } else if (name == f.name()) {
        by_name = &value, ++hits;
      }
    }
    if (v2_ && hits > 1) return invalid("proto: duplicate field \"" + f.name() + "\"");
    return by_camel ? by_camel : by_name;
  }

  Result<> field(const JsonValue& v, Message& m, const FieldDescriptor& f) {
    const Reflection& r = *m.GetReflection();
    if (v2_ && f.containing_oneof() && r.HasOneof(m, f.containing_oneof())) {
      return invalid("proto: error parsing \"" + f.name() + "\", oneof " +
                     f.containing_oneof()->full_name() + " is already set");
    }
    if (!f.is_repeated()) return value(v, m, f);
    if (v.kind != Kind::kArray) {
      if (v2_) return invalid("proto: syntax error: unexpected token " + std::string(v.raw));
      return invalid(wrong_kind(v, "[]json.RawMessage"));
    }
    for (const JsonValue& item : v.items) TRUSS_TRY(value(item, m, f));
    return {};
  }

  Unexpected bad(const JsonValue& v, const FieldDescriptor& f) {
    if (v2_) {
      return invalid("proto: invalid value for " + std::string(proto_type(f)) + " field " +
                     f.name() + ": " + std::string(v.raw));
    }
    return invalid(wrong_kind(v, go_type(f)));
  }

  Result<> value(const JsonValue& v, Message& m, const FieldDescriptor& f) {
    const Reflection& r = *m.GetReflection();
    switch (f.cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return message(v, f.is_repeated() ? *r.AddMessage(&m, &f) : *r.MutableMessage(&m, &f));
      case FieldDescriptor::CPPTYPE_STRING:
        return text(v, m, f);
      case FieldDescriptor::CPPTYPE_BOOL:
        if (v.kind != Kind::kBool) return bad(v, f);
        return r.SetBool(&m, &f, v.boolean), Result<>{};
      case FieldDescriptor::CPPTYPE_ENUM:
        return enumerator(v, m, f);
      case FieldDescriptor::CPPTYPE_INT64:
        return integer<std::int64_t>(v, f, [&](auto n) { r.SetInt64(&m, &f, n); });
      case FieldDescriptor::CPPTYPE_UINT64:
        return integer<std::uint64_t>(v, f, [&](auto n) { r.SetUInt64(&m, &f, n); });
      case FieldDescriptor::CPPTYPE_UINT32:
        return integer<std::uint32_t>(v, f, [&](auto n) { r.SetUInt32(&m, &f, n); });
      default:
        return bad(v, f);
    }
  }

  template <class Int, class Set>
  Result<> integer(const JsonValue& v, const FieldDescriptor& f, Set set) {
    ByteView digits = v.raw;
    if (v.kind == Kind::kString) digits = digits.substr(1, digits.size() - 2);
    if (v.kind != Kind::kNumber && v.kind != Kind::kString) return bad(v, f);
    Int number = 0;
    if (v2_ ? parse_whole(digits, number) : parse_int(digits, number))
      return set(number), Result<>{};
    if (v2_ || v.kind == Kind::kNumber) return bad(v, f);
    // jsonpb strips the quotes and hands the rest to the JSON decoder.
    const JsonStep inner = read_json(digits, true);
    if (inner.state == JsonStep::State::kBad) return invalid(inner.error);
    if (inner.state == JsonStep::State::kNeedMore) return invalid("unexpected end of JSON input");
    if (inner.consumed != digits.size()) {
      return invalid("invalid character '" + std::string(1, digits[inner.consumed]) +
                     "' after top-level value");
    }
    return invalid(wrong_kind(inner.value, go_type(f)));
  }

  Result<> enumerator(const JsonValue& v, Message& m, const FieldDescriptor& f) {
    int number = 0;
    if (v.kind == Kind::kString) {
      const EnumValueDescriptor* named = f.enum_type()->FindValueByName(v.text);
      if (named == nullptr) {
        if (v2_) return bad(v, f);
        return invalid("unknown value " + std::string(v.raw) + " for enum " +
                       go_enum_name(*f.enum_type()));
      }
      number = named->number();
    } else if (v.kind != Kind::kNumber || !parse_int(v.raw, number)) {
      return bad(v, f);
    }
    const Reflection& r = *m.GetReflection();
    f.is_repeated() ? r.AddEnumValue(&m, &f, number) : r.SetEnumValue(&m, &f, number);
    return {};
  }

  Result<> text(const JsonValue& v, Message& m, const FieldDescriptor& f) {
    std::string out;
    if (f.type() == FieldDescriptor::TYPE_BYTES) {
      TRUSS_ASSIGN(out, bytes(v, f));
    } else if (v.kind == Kind::kString) {
      out = v.text;
    } else {
      return bad(v, f);
    }
    const Reflection& r = *m.GetReflection();
    f.is_repeated() ? r.AddString(&m, &f, std::move(out)) : r.SetString(&m, &f, std::move(out));
    return {};
  }

  Result<std::string> bytes(const JsonValue& v, const FieldDescriptor& f) {
    if (v.kind == Kind::kString) {
      auto out = v2_ ? base64_decode_lenient(v.text) : base64_decode(v.text);
      if (!out && v2_) return bad(v, f);
      return out;
    }
    if (v2_ || v.kind != Kind::kArray) return bad(v, f);
    // Go's decoder also takes an array of numbers for []byte.
    std::string out;
    for (const JsonValue& item : v.items) {
      std::uint8_t byte = 0;
      if (item.kind != Kind::kNumber || !parse_int(item.raw, byte)) {
        return invalid(wrong_kind(item, "uint8"));
      }
      out += static_cast<char>(byte);
    }
    return out;
  }

  bool v2_;
};

}  // namespace

void append_json(std::string& out, const Message& message, JsonDialect dialect) {
  Printer(out, dialect).message(message);
}

Result<> from_json(const JsonValue& value, Message& message, JsonDialect dialect) {
  return Filler(dialect).message(value, message);
}

}  // namespace truss::api
