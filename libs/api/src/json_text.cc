#include "json_text.h"

#include "truss/common/text.h"

namespace truss::api {
namespace {

constexpr int kMaxDepth = 1000;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A character as Go's %q shows it in JSON errors.
std::string quote_char(char c) {
  if (c == '\'') return R"('\'')";
  if (c == '"') return R"('"')";
  const std::string body = quoted(ByteView(&c, 1));
  // Go's JSON errors treat each byte as a rune, so bytes above 0x7f show as Latin-1 letters.
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= 0xa1 && byte != 0xad) {
    std::string rune = "'";
    rune += static_cast<char>(0xc0 | (byte >> 6));
    rune += static_cast<char>(0x80 | (byte & 0x3f));
    return rune + "'";
  }
  if (byte >= 0x80) {
    static constexpr char kHex[] = "0123456789abcdef";
    return std::string("'\\u00") + kHex[byte >> 4] + kHex[byte & 15] + "'";
  }
  return "'" + body.substr(1, body.size() - 2) + "'";
}

// Reads one value by recursive descent; the first failure sticks in `step`.
class Reader {
 public:
  Reader(ByteView input, bool final) : in_(input), final_(final) {}

  JsonStep run() {
    skip_space();
    if (at_ == in_.size()) {
      step_.blank = true;
      return std::move(step_);
    }
    if (value(step_.value, 0)) {
      step_.state = JsonStep::State::kValue;
      step_.consumed = at_;
    }
    return std::move(step_);
  }

 private:
  void skip_space() {
    while (at_ < in_.size() && is_space(in_[at_])) ++at_;
  }
  bool more() const { return at_ < in_.size(); }

  bool bad(std::string_view where) {
    if (!more()) return false;  // kNeedMore
    step_.state = JsonStep::State::kBad;
    step_.error = "invalid character " + quote_char(in_[at_]) + " " + std::string(where);
    return false;
  }

  bool value(JsonValue& out, int depth) {
    if (!more()) return false;
    const std::size_t start = at_;
    const char c = in_[at_];
    bool fine = false;
    if (c == '{' || c == '[') {
      if (depth >= kMaxDepth) {
        step_.state = JsonStep::State::kBad;
        step_.error = "exceeded max depth";
        return false;
      }
      fine = c == '{' ? object(out, depth) : array(out, depth);
    } else if (c == '"') {
      out.kind = JsonValue::Kind::kString;
      fine = string(out.text);
    } else if (c == '-' || is_digit(c)) {
      out.kind = JsonValue::Kind::kNumber;
      fine = number();
    } else if (c == 't' || c == 'f') {
      out.kind = JsonValue::Kind::kBool;
      out.boolean = c == 't';
      fine = literal(c == 't' ? "true" : "false");
    } else if (c == 'n') {
      fine = literal("null");
    } else {
      return bad("looking for beginning of value");
    }
    if (fine) out.raw = in_.substr(start, at_ - start);
    return fine;
  }

  bool literal(std::string_view word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      ++at_;
      if (!more()) return false;
      if (in_[at_] != word[i]) {
        return bad("in literal " + std::string(word) + " (expecting " + quote_char(word[i]) + ")");
      }
    }
    ++at_;
    return true;
  }

  bool digits() {
    if (!more()) return false;
    if (!is_digit(in_[at_])) return false;
    while (more() && is_digit(in_[at_])) ++at_;
    return true;
  }

  bool number() {
    if (in_[at_] == '-') {
      ++at_;
      if (!more() || !is_digit(in_[at_])) return bad("in numeric literal");
    }
    if (in_[at_] == '0') {
      ++at_;
    } else {
      digits();
    }
    if (more() && in_[at_] == '.') {
      ++at_;
      if (!digits()) return bad("after decimal point in numeric literal");
    }
    if (more() && (in_[at_] == 'e' || in_[at_] == 'E')) {
      ++at_;
      if (more() && (in_[at_] == '+' || in_[at_] == '-')) ++at_;
      if (!digits()) return bad("in exponent of numeric literal");
    }
    return more() || final_;  // more digits may still come
  }

  bool string(std::string& out) {
    ++at_;
    while (more()) {
      const char c = in_[at_];
      if (c == '"') return ++at_, true;
      if (static_cast<unsigned char>(c) < 0x20) return bad("in string literal");
      if (c == '\\') {
        if (!escape(out)) return false;
        continue;
      }
      const std::size_t length = utf8_length(in_.substr(at_));
      if (length == 0) {
        append_utf8(out, 0xfffd);
        ++at_;
      } else {
        out += in_.substr(at_, length);
        at_ += length;
      }
    }
    return false;
  }

  bool hex4(unsigned& code) {
    code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      if (!more()) return false;
      const int digit = hex_digit_value(in_[at_]);
      if (digit < 0) return bad("in \\u hexadecimal character escape");
      code = code * 16 + static_cast<unsigned>(digit);
    }
    return true;
  }

  bool escape(std::string& out) {
    ++at_;
    if (!more()) return false;
    static constexpr std::string_view kFrom = "\"\\/bfnrt";
    static constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
    if (const auto i = kFrom.find(in_[at_]); i != std::string_view::npos) {
      out += kTo[i];
      ++at_;
      return true;
    }
    if (in_[at_] != 'u') return bad("in string escape code");
    ++at_;
    unsigned code = 0;
    if (!hex4(code)) return false;
    if (code >= 0xd800 && code < 0xe000) code = surrogate_pair(code);
    append_utf8(out, code);
    return true;
  }

  // The code point of a pair whose first half was read; U+FFFD if no second half follows.
  unsigned surrogate_pair(unsigned high) {
    const ByteView rest = in_.substr(at_);
    if (high < 0xdc00 && rest.size() >= 6 && rest[0] == '\\' && rest[1] == 'u') {
      unsigned low = 0;
      for (int i = 2; i < 6; ++i) {
        const int digit = hex_digit_value(rest[static_cast<std::size_t>(i)]);
        if (digit < 0) return 0xfffd;
        low = low * 16 + static_cast<unsigned>(digit);
      }
      if (low >= 0xdc00 && low < 0xe000) {
        at_ += 6;
        return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
      }
    }
    return 0xfffd;
  }

  bool array(JsonValue& out, int depth) {
    out.kind = JsonValue::Kind::kArray;
    ++at_;
    skip_space();
    if (more() && in_[at_] == ']') return ++at_, true;
    while (true) {
      skip_space();
      if (!value(out.items.emplace_back(), depth + 1)) return false;
      skip_space();
      if (!more()) return false;
      if (in_[at_] == ']') return ++at_, true;
      if (in_[at_] != ',') return bad("after array element");
      ++at_;
    }
  }

  bool object(JsonValue& out, int depth) {
    out.kind = JsonValue::Kind::kObject;
    ++at_;
    skip_space();
    if (more() && in_[at_] == '}') return ++at_, true;
    while (true) {
      skip_space();
      if (!more()) return false;
      if (in_[at_] != '"') return bad("looking for beginning of object key string");
      auto& member = out.members.emplace_back();
      if (!string(member.first)) return false;
      skip_space();
      if (!more()) return false;
      if (in_[at_] != ':') return bad("after object key");
      ++at_;
      skip_space();
      if (!value(member.second, depth + 1)) return false;
      skip_space();
      if (!more()) return false;
      if (in_[at_] == '}') return ++at_, true;
      if (in_[at_] != ',') return bad("after object key:value pair");
      ++at_;
    }
  }

  ByteView in_;
  bool final_;
  std::size_t at_ = 0;
  JsonStep step_;
};

}  // namespace

JsonStep read_json(ByteView input, bool final) { return Reader(input, final).run(); }

}  // namespace truss::api
