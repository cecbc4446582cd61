#include "truss/tool/json_writer.h"

#include <charconv>

#include "truss/common/base64.h"
#include "truss/common/text.h"

namespace truss::tool {

void JsonWriter::separate() {
  if (!first_) out_ += ',';
  first_ = false;
}

JsonWriter& JsonWriter::open(char c) {
  separate();
  out_ += c;
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::close(char c) {
  out_ += c;
  first_ = false;
  return *this;
}

JsonWriter& JsonWriter::key(ByteView name) {
  separate();
  append_json_string(out_, name, JsonStyle::kLog);
  out_ += ':';
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::raw(ByteView json) {
  separate();
  out_ += json;
  return *this;
}

JsonWriter& JsonWriter::value(ByteView text) {
  separate();
  append_json_string(out_, text, JsonStyle::kLog);
  return *this;
}

JsonWriter& JsonWriter::value(bool flag) { return raw(flag ? "true" : "false"); }

JsonWriter& JsonWriter::value(double number) {
  char text[32];
  const auto [end, _] = std::to_chars(text, text + sizeof text, number);
  return raw(ByteView(text, static_cast<std::size_t>(end - text)));
}

JsonWriter& JsonWriter::bytes(ByteView name, ByteView bytes) {
  field(name, base64_encode(bytes));
  return field(std::string(name) + "Text", printable(bytes));
}

std::string printable(ByteView bytes) {
  std::string out = quoted(bytes);
  return out.substr(1, out.size() - 2);
}

}  // namespace truss::tool
