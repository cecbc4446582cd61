#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "truss/common/bytes.h"
#include "truss/common/error.h"
#include "truss/common/text.h"

namespace truss::api {

struct JsonMember;

/// One JSON value as read. `raw` views the input; the rest is owned.
struct JsonValue {
  enum class Kind : unsigned char { kNull, kBool, kNumber, kString, kArray, kObject };
  Kind kind = Kind::kNull;
  bool boolean = false;
  ByteView raw;      ///< the value's own text, without surrounding space
  std::string text;  ///< of a string: decoded, invalid UTF-8 replaced by U+FFFD
  std::vector<JsonValue> items;
  std::vector<JsonMember> members;  ///< in input order, repeats kept
};
struct JsonMember {
  std::string first;
  JsonValue second;
};

/// What reading one value from a stream of values gave.
struct JsonStep {
  enum class State : unsigned char {
    kValue,     ///< `value` is complete; `consumed` bytes belong to it
    kNeedMore,  ///< the input ends inside a value (or before one)
    kBad,       ///< `error` holds Go's text, e.g. `invalid character 'x' after object key`
  };
  State state = State::kNeedMore;
  JsonValue value;
  std::size_t consumed = 0;
  std::string error;
  bool blank = false;  ///< with kNeedMore: nothing but space was there
};

/// Reads the first value of `input`; what follows is left. With `final` a number or literal may
/// end where the input ends. Nesting beyond 1000 is refused (`exceeded max depth`).
/// Source: Go's encoding/json Decoder and its error texts.
JsonStep read_json(ByteView input, bool final);

/// `text` as a complete JSON string. `html_safe`: as Go's encoding/json, else as its protojson.
inline std::string json_string(ByteView text, bool html_safe = true) {
  std::string out;
  append_json_string(out, text, html_safe ? JsonStyle::kGo : JsonStyle::kProtobuf);
  return out;
}

}  // namespace truss::api
