#include "truss/net/protocol_sniffer.h"

#include <algorithm>

namespace truss::net {
namespace {

constexpr ByteView kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr std::size_t kMaxRequestLine = 4096;

bool is_http1_request_line(ByteView line) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == ByteView::npos || first == last) return false;
  return line.substr(last + 1).starts_with("HTTP/1.");
}

}  // namespace

Sniffed sniff_protocol(ByteView start) {
  const std::size_t compared = std::min(start.size(), kPreface.size());
  if (start.substr(0, compared) == kPreface.substr(0, compared)) {
    return compared == kPreface.size() ? Sniffed::kHttp2 : Sniffed::kNeedMore;
  }
  const std::size_t end = start.substr(0, kMaxRequestLine).find('\n');
  if (end == ByteView::npos) {
    return start.size() < kMaxRequestLine ? Sniffed::kNeedMore : Sniffed::kNeither;
  }
  ByteView line = start.substr(0, end);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return is_http1_request_line(line) ? Sniffed::kHttp1 : Sniffed::kNeither;
}

}  // namespace truss::net
