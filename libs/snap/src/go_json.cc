#include "go_json.h"

#include <cstdint>
#include <cstdio>

namespace truss::snap {
namespace {

void append_escape(std::string& out, unsigned value) {
  char text[7];
  std::snprintf(text, sizeof text, "\\u%04x", value & 0xffffU);
  out += text;
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
    case '<':
    case '>':
    case '&':
      return append_escape(out, static_cast<unsigned char>(c));
    default:
      break;
  }
  if (static_cast<unsigned char>(c) < 0x20)
    return append_escape(out, static_cast<unsigned char>(c));
  out += c;
}

/// Bytes of the UTF-8 sequence at the start of `text` (2 to 4), or 0 if it is not one.
std::size_t sequence_length(ByteView text, std::uint32_t& rune) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  rune = lead & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xc0) != 0x80) return 0;
    rune = rune << 6 | (byte & 0x3f);
  }
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = rune >= 0xd800 && rune < 0xe000;
  return rune < kSmallest[length] || rune > 0x10ffff || surrogate ? 0 : length;
}

}  // namespace

void append_json_string(std::string& out, ByteView text) {
  out += '"';
  while (!text.empty()) {
    std::size_t length = 1;
    if (static_cast<unsigned char>(text[0]) < 0x80) {
      append_ascii(out, text[0]);
    } else {
      std::uint32_t rune = 0;
      length = sequence_length(text, rune);
      if (length == 0) {
        out += "\\ufffd";
        length = 1;
      } else if (rune == 0x2028 || rune == 0x2029) {
        append_escape(out, rune);
      } else {
        out += text.substr(0, length);
      }
    }
    text.remove_prefix(length);
  }
  out += '"';
}

void append_json_strings(std::string& out, const std::vector<std::string>& texts) {
  out += '[';
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) out += ',';
    append_json_string(out, texts[i]);
  }
  out += ']';
}

}  // namespace truss::snap
