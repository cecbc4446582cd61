// A server's arbitrary bytes against the HTTP/1.1 client session; cutting them differently must not
// change what the reader is told. The first byte chooses the kind of exchange and the cut.
#include <cstdint>
#include <memory>
#include <string>

#include "../../net/http1_client_support.h"
#include "http_url.h"
#include "truss/common/check.h"

namespace {

using namespace truss;       // NOLINT: one file
using namespace truss::net;  // NOLINT

constexpr std::size_t kMaxBody = 300;

/// The first answer of a connection, then what a second request on it is told, if it is kept.
std::string heard(ByteView bytes, HttpExchangeState::Kind kind, bool head, std::size_t piece) {
  testing::ClientWire wire({.max_header_bytes = 500});
  HttpCall call;
  call.method = head ? "HEAD" : "GET";
  call.max_response_bytes = kMaxBody;
  std::string out;
  const auto source = std::make_shared<testing::GivenSource>();
  source->next = "body";
  wire.begin(kind, call, kind == HttpExchangeState::Kind::kUpload ? source : nullptr);
  const auto told = wire.told;
  (void)wire.sent();
  while (!bytes.empty() && !wire.session.finished() && !wire.session.idle()) {
    const ByteView next = bytes.substr(0, piece);
    bytes.remove_prefix(next.size());
    wire.say(next);
    TRUSS_CHECK(wire.told->ends <= 1, "ended twice");
  }
  const bool kept = wire.session.idle();
  if (!wire.session.finished()) (void)wire.session.receive_end();
  TRUSS_CHECK(told->ends == 1, "never ended");
  // Only bytes after the answer may close a connection that could have been kept.
  return told->text + (kept ? "" : " closed");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto kind = static_cast<HttpExchangeState::Kind>(data[0] % 3);
  const bool head = (data[0] & 0x80) != 0;
  const std::string whole = heard(bytes, kind, head, std::max<std::size_t>(bytes.size(), 1));
  TRUSS_CHECK(whole.size() <= 200 + 4 * size, "told more than was said");
  // What depends on the cut rightly: a kept connection that gets bytes nobody asked for is closed
  // at once only if they come along; of two faults of one header, the one that is seen first is
  // told.
  const auto told = [](std::string text) {
    if (text.ends_with(" closed")) text.resize(text.size() - 7);
    for (const std::string_view fault : {"| Internal", "| ResourceExhausted"}) {
      if (text.ends_with(fault)) return text.substr(0, text.find('|')) + "| fault";
    }
    return text;
  };
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3} + data[0] % 16}) {
    TRUSS_CHECK(told(heard(bytes, kind, head, piece)) == told(whole), "the cut shows");
  }
  (void)parse_http_url(bytes);
  return 0;
}
