#pragma once

#include <concepts>
#include <cstdint>
#include <string>

#include "truss/common/bytes.h"

namespace truss::tool {

/// Appends compact JSON to a string, in the order called. Unbalanced calls are the caller's bug.
/// *Thread:* one.
class JsonWriter {
 public:
  /// `out` is borrowed.
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(ByteView name);

  JsonWriter& value(ByteView text);  ///< what is no UTF-8 becomes U+FFFD: for bytes use bytes()
  JsonWriter& value(const char* text) { return value(ByteView(text)); }
  JsonWriter& value(const std::string& text) { return value(ByteView(text)); }
  JsonWriter& value(bool flag);
  JsonWriter& value(double number);
  template <std::integral T>
  requires(!std::same_as<T, bool>) JsonWriter& value(T number) {
    return raw(std::to_string(number));
  }
  JsonWriter& null() { return raw("null"); }
  /// Text that is JSON already.
  JsonWriter& raw(ByteView json);

  /// `"name":VALUE`
  template <class T>
  JsonWriter& field(ByteView name, const T& of) {
    return key(name).value(of);
  }
  /// `"name":"BASE64","nameText":"printable"`; see printable().
  JsonWriter& bytes(ByteView name, ByteView bytes);

 private:
  JsonWriter& open(char c);
  JsonWriter& close(char c);
  void separate();

  std::string& out_;
  bool first_ = true;
};

/// Bytes for people: printable UTF-8 as it is, all else as in Go's %q (`\x00`, `\n`), without
/// quotes.
std::string printable(ByteView bytes);

}  // namespace truss::tool
