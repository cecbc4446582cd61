#pragma once

#include <cstdint>

#include "truss/common/bytes.h"

namespace truss::net {

enum class Sniffed : std::uint8_t { kNeedMore, kHttp2, kHttp1, kNeither };

/// Tells by the first bytes of a connection what the client speaks: HTTP/2's preface, or a request
/// line of HTTP/1.x that ends within 4096 bytes; kNeither is closed without an answer.
///
/// Source: etcd's use of cmux (matchers HTTP2 and HTTP1).
Sniffed sniff_protocol(ByteView start);

}  // namespace truss::net
