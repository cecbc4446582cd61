// Arbitrary bytes through the deframer: any cut gives the same messages and the same end, and what
// comes out goes back through GrpcOutBody to the same bytes.
#include <algorithm>
#include <cstdint>
#include <string>

#include "truss/common/base64.h"
#include "truss/common/check.h"
#include "truss/net/grpc_frame.h"
#include "truss/net/grpc_text.h"

namespace {

using namespace truss;       // NOLINT: one file
using namespace truss::net;  // NOLINT

struct Read {
  std::string framed;  ///< the messages, framed again
  std::string error;
  bool mid_message = false;
  friend bool operator==(const Read&, const Read&) = default;
};

Read read(ByteView bytes, std::size_t step) {
  constexpr std::size_t kMax = 4096;
  GrpcDeframer deframer(kMax);
  GrpcOutBody body;
  Read out;
  while (!bytes.empty() && out.error.empty()) {
    ByteView piece = bytes.substr(0, step);
    bytes.remove_prefix(piece.size());
    while (!piece.empty() && out.error.empty()) {
      SharedBytes message;
      const Result<bool> complete = deframer.next(piece, message);
      TRUSS_CHECK(deframer.buffered_bytes() <= kMax);
      if (!complete) {
        out.error = complete.error().message;
      } else if (*complete) {
        body.push(std::move(message));
      }
    }
  }
  out.mid_message = deframer.mid_message();
  while (!body.empty()) body.write(std::min(step, body.size_bytes()), out.framed);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(reinterpret_cast<const char*>(data), size);
  const Read whole = read(bytes, size + 1);
  TRUSS_CHECK(read(bytes, 1) == whole);
  TRUSS_CHECK(read(bytes, 7) == whole);
  TRUSS_CHECK(bytes.starts_with(whole.framed));

  TRUSS_CHECK(decode_grpc_message(encode_grpc_message(bytes)) == bytes);
  (void)decode_grpc_message(bytes);
  (void)parse_grpc_timeout(bytes);
  if (const auto decoded = decode_base64(bytes)) (void)base64_encode_unpadded(*decoded);
  TRUSS_CHECK(*decode_base64(base64_encode_unpadded(bytes)) == bytes);
  return 0;
}
