#include "truss/server/proposal.h"

#include <cstring>

#include "truss/common/coding.h"

namespace truss::server {
namespace {

constexpr std::uint32_t kHeaderField = 100;

std::uint64_t bytes_tag(std::uint32_t field) { return field << 3 | 2; }

std::size_t bytes_field_size(std::uint32_t field, std::size_t size) {
  return varint_size(bytes_tag(field)) + varint_size(size) + size;
}

char* write_bytes_head(char* p, std::uint32_t field, std::size_t size) {
  return write_varint(write_varint(p, bytes_tag(field)), size);
}

char* write_op(char* p, std::uint32_t field, ByteView body) {
  p = write_bytes_head(p, field, body.size());
  if (!body.empty()) std::memcpy(p, body.data(), body.size());
  return p + body.size();
}

/// RequestHeader {1 ID}; the id is never zero.
char* write_header(char* p, std::uint64_t id) {
  p = write_bytes_head(p, kHeaderField, 1 + varint_size(id));
  *p++ = 0x08;
  return write_varint(p, id);
}

}  // namespace

SharedBytes encode_internal_request(Op op, ByteView body, std::uint64_t id) {
  const auto field = static_cast<std::uint32_t>(op);
  const std::size_t size =
      bytes_field_size(field, body.size()) + bytes_field_size(kHeaderField, 1 + varint_size(id));
  return SharedBytes::build(size, [&](char* p) {
    if (field > kHeaderField) {
      write_op(write_header(p, id), field, body);
    } else {
      write_header(write_op(p, field, body), id);
    }
  });
}

}  // namespace truss::server
