#include "truss/common/text.h"

#include <array>

namespace truss {
namespace {

constexpr char kHex[] = "0123456789abcdef";

// The letter that JSON and Go write behind a backslash for `c`; 0 if it takes none in both.
char short_escape(char c) {
  switch (c) {
    case '"':
    case '\\':
      return c;
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return 0;
  }
}

// Those that only some write.
char rare_escape(char c) {
  switch (c) {
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    default:
      return 0;
  }
}

char go_escape(char c) {
  if (c == '\a') return 'a';
  if (c == '\v') return 'v';
  return rare_escape(c);
}

void append_escape(std::string& out, char letter) {
  out += '\\';
  out += letter;
}

void append_unicode(std::string& out, unsigned code) {
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kHex[(code >> shift) & 15];
}

void append_byte(std::string& out, char c) {
  const auto byte = static_cast<unsigned char>(c);
  out += "\\x";
  out += kHex[byte >> 4];
  out += kHex[byte & 15];
}

void append_json_ascii(std::string& out, char c, JsonStyle style) {
  const bool html = style == JsonStyle::kGo && (c == '<' || c == '>' || c == '&');
  char letter = short_escape(c);
  if (letter == 0 && style == JsonStyle::kProtobuf) letter = rare_escape(c);
  if (letter != 0) {
    append_escape(out, letter);
  } else if (static_cast<unsigned char>(c) < 0x20 || html) {
    append_unicode(out, static_cast<unsigned char>(c));
  } else {
    out += c;
  }
}

void append_quoted_ascii(std::string& out, char c) {
  char letter = short_escape(c);
  if (letter == 0) letter = go_escape(c);
  if (letter != 0) {
    append_escape(out, letter);
  } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
    append_byte(out, c);
  } else {
    out += c;
  }
}

// U+0080 to U+009F and the soft hyphen: what Go calls not printable and terminals may act upon.
bool hidden_rune(ByteView rune) {
  const auto second = static_cast<unsigned char>(rune[1]);
  return rune[0] == '\xc2' && (second < 0xa0 || second == 0xad);
}

}  // namespace

std::size_t utf8_length(ByteView text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = at(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (length == 0 || lead > 0xf4 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  const bool overlong = (lead == 0xe0 && at(1) < 0xa0) || (lead == 0xf0 && at(1) < 0x90);
  const bool no_rune = (lead == 0xed && at(1) > 0x9f) || (lead == 0xf4 && at(1) > 0x8f);
  return overlong || no_rune ? 0 : length;
}

bool valid_utf8(ByteView text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

void append_utf8(std::string& out, unsigned code) {
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((code >> shift) & 0x3f)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | (code >> 6));
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | (code >> 12));
    tail(6), tail(0);
  } else {
    out += static_cast<char>(0xf0 | (code >> 18));
    tail(12), tail(6), tail(0);
  }
}

std::string percent_decode(std::string_view text, bool plus_is_blank) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool room = text[i] == '%' && i + 2 < text.size();
    const int high = room ? hex_digit_value(text[i + 1]) : -1;
    const int low = room ? hex_digit_value(text[i + 2]) : -1;
    if (high >= 0 && low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += plus_is_blank && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

void append_json_string(std::string& out, ByteView text, JsonStyle style) {
  out += '"';
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const ByteView rune = text.substr(0, length == 0 ? 1 : length);
    if (length == 0) {
      out += style == JsonStyle::kProtobuf ? "\xef\xbf\xbd" : "\\ufffd";
    } else if (length == 1) {
      append_json_ascii(out, text[0], style);
    } else if (style == JsonStyle::kGo && rune == "\xe2\x80\xa8") {
      append_unicode(out, 0x2028);
    } else if (style == JsonStyle::kGo && rune == "\xe2\x80\xa9") {
      append_unicode(out, 0x2029);
    } else {
      out += rune;
    }
    text.remove_prefix(rune.size());
  }
  out += '"';
}

void append_json_strings(std::string& out, const std::vector<std::string>& texts, JsonStyle style) {
  out += '[';
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) out += ',';
    append_json_string(out, texts[i], style);
  }
  out += ']';
}

std::string to_hex(ByteView bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

std::string quoted(ByteView bytes) {
  std::string out = "\"";
  while (!bytes.empty()) {
    const std::size_t length = utf8_length(bytes);
    if (length == 0) {
      append_byte(out, bytes[0]);
    } else if (length == 1) {
      append_quoted_ascii(out, bytes[0]);
    } else if (hidden_rune(bytes)) {
      append_unicode(out, static_cast<unsigned char>(bytes[1]));
    } else {
      out += bytes.substr(0, length);
    }
    bytes.remove_prefix(length == 0 ? 1 : length);
  }
  return out += '"';
}

}  // namespace truss
