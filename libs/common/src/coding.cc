#include "truss/common/coding.h"

namespace truss {
namespace {

constexpr std::uint32_t kMaxField = (1U << 29) - 1;
constexpr int kMaxGroupDepth = 64;

void append_varint(std::string& out, std::uint64_t v) {
  char buffer[10];
  out.append(buffer, write_varint(buffer, v));
}

void append_tag(std::string& out, std::uint32_t field, WireType type) {
  append_varint(out, std::uint64_t{field} << 3 | static_cast<unsigned>(type));
}

}  // namespace

void PbWriter::put_varint(std::uint32_t field, std::uint64_t v) {
  append_tag(out_, field, WireType::kVarint);
  append_varint(out_, v);
}

void PbWriter::put_bytes(std::uint32_t field, ByteView v) {
  append_tag(out_, field, WireType::kBytes);
  append_varint(out_, v.size());
  out_.append(v);
}

bool PbReader::read_varint(std::uint64_t& v) {
  v = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    if (p_ == end_) return false;
    const auto b = static_cast<unsigned char>(*p_++);
    if (shift == 63 && b > 1) return false;  // more than 64 bits
    v |= std::uint64_t{b & 0x7fU} << shift;
    if (b < 0x80) return true;
  }
  return false;
}

bool PbReader::read_tag() {
  std::uint64_t tag = 0;
  if (!read_varint(tag) || tag >> 3 == 0 || tag >> 3 > kMaxField) return false;
  field_ = static_cast<std::uint32_t>(tag >> 3);
  type_ = static_cast<WireType>(tag & 7);
  return true;
}

bool PbReader::read_value(int depth) {
  const auto left = static_cast<std::uint64_t>(end_ - p_);
  number_ = 0;
  bytes_ = {};
  switch (type_) {
    case WireType::kVarint:
      return read_varint(number_);
    case WireType::kFixed64:
      if (left < 8) return false;
      number_ = load_le<std::uint64_t>(p_);
      p_ += 8;
      return true;
    case WireType::kBytes:
      return read_bytes();
    case WireType::kGroup:
      return skip_group(field_, depth);
    case WireType::kFixed32:
      if (left < 4) return false;
      number_ = load_le<std::uint32_t>(p_);
      p_ += 4;
      return true;
    default:
      return false;
  }
}

bool PbReader::read_bytes() {
  std::uint64_t size = 0;
  if (!read_varint(size) || size > static_cast<std::uint64_t>(end_ - p_)) return false;
  bytes_ = ByteView(p_, size);
  p_ += size;
  return true;
}

bool PbReader::skip_group(std::uint32_t field, int depth) {
  if (depth > kMaxGroupDepth) return false;
  while (read_tag()) {
    if (type_ == WireType::kEndGroup) {
      const bool closed = field_ == field;
      type_ = WireType::kGroup;
      return closed;
    }
    if (!read_value(depth + 1)) return false;
  }
  return false;
}

bool PbReader::next() {
  if (!ok_ || p_ == end_) return false;
  return ok_ = read_tag() && read_value(0);
}

std::uint64_t PbReader::varint() {
  const bool number = type_ != WireType::kBytes && type_ != WireType::kGroup;
  if (!number) ok_ = false;
  return number ? number_ : 0;
}

ByteView PbReader::bytes() {
  if (type_ != WireType::kBytes) ok_ = false;
  return bytes_;
}

}  // namespace truss
