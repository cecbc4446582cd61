#include "truss/common/bytes.h"

#include <new>

namespace truss {

SharedBytes SharedBytes::uninitialised(std::size_t size) {
  SharedBytes out;
  if (size == 0) return out;
  void* memory = ::operator new(sizeof(Block) + size);
  out.block_ = new (memory) Block;
  out.block_->size = size;
  return out;
}

SharedBytes SharedBytes::copy(ByteView bytes) {
  return build(bytes.size(), [&](char* p) { std::memcpy(p, bytes.data(), bytes.size()); });
}

void SharedBytes::release() {
  if (block_ && block_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    block_->~Block();
    ::operator delete(block_);
  }
  block_ = nullptr;
}

std::string to_hex(ByteView bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto b = static_cast<unsigned char>(c);
    out += kDigits[b >> 4];
    out += kDigits[b & 15];
  }
  return out;
}

namespace {

void append_quoted(std::string& out, char c) {
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
    default:
      break;
  }
  if (c >= 0x20 && c < 0x7f) {
    out += c;
  } else {
    out += "\\x" + to_hex(ByteView(&c, 1));
  }
}

}  // namespace

std::string quoted(ByteView bytes) {
  std::string out = "\"";
  for (const char c : bytes) append_quoted(out, c);
  return out += '"';
}

}  // namespace truss
