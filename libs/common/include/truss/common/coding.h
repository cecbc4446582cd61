#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "truss/common/bytes.h"

/// Fixed-width integers and the protobuf wire format, bounds-checked, without Protobuf.
namespace truss {

template <class T>
T load_le(const char* p) {
  static_assert(std::endian::native == std::endian::little);
  T v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <class T>
void store_le(char* p, T v) {
  std::memcpy(p, &v, sizeof v);
}
inline std::uint64_t load_be64(const char* p) {
  return __builtin_bswap64(load_le<std::uint64_t>(p));
}
inline void store_be64(char* p, std::uint64_t v) { store_le(p, __builtin_bswap64(v)); }
inline std::uint32_t load_be32(const char* p) {
  return __builtin_bswap32(load_le<std::uint32_t>(p));
}
inline void store_be32(char* p, std::uint32_t v) { store_le(p, __builtin_bswap32(v)); }

/// Bytes a varint of v takes, 1 to 10.
inline std::size_t varint_size(std::uint64_t v) {
  return (static_cast<std::size_t>(std::bit_width(v | 1)) + 6) / 7;
}
/// Writes v as a varint at p (room for 10 bytes), returns one past the last byte written.
inline char* write_varint(char* p, std::uint64_t v) {
  while (v >= 0x80) {
    *p++ = static_cast<char>(v | 0x80);
    v >>= 7;
  }
  *p++ = static_cast<char>(v);
  return p;
}

enum class WireType : std::uint8_t {
  kVarint = 0,
  kFixed64 = 1,
  kBytes = 2,
  kGroup = 3,
  kEndGroup = 4,
  kFixed32 = 5
};

/// Appends protobuf fields to a string, in the order called. `field_*` skip zero or empty values
/// (proto3); `put_*` always write (proto2's dense form).
class PbWriter {
 public:
  explicit PbWriter(std::string& out) : out_(out) {}
  void put_varint(std::uint32_t field, std::uint64_t v);
  void put_bytes(std::uint32_t field, ByteView v);
  void field_varint(std::uint32_t field, std::uint64_t v) {
    if (v != 0) put_varint(field, v);
  }
  void field_bytes(std::uint32_t field, ByteView v) {
    if (!v.empty()) put_bytes(field, v);
  }

 private:
  std::string& out_;
};

/// Reads protobuf fields one after the other. Any malformed byte makes `next()` return false with
/// `ok()` false; nothing is read past the input and nothing is allocated.
///
///   PbReader in(bytes);
///   while (in.next()) switch (in.field()) { case 1: id = in.varint(); break; default: break; }
///   if (!in.ok()) return fail(...);
class PbReader {
 public:
  explicit PbReader(ByteView in) : p_(in.data()), end_(in.data() + in.size()) {}
  /// Moves to the next field and decodes its value. False at the end or on malformed input.
  bool next();
  bool ok() const { return ok_; }
  std::uint32_t field() const { return field_; }
  WireType type() const { return type_; }
  /// Value of a varint or fixed field. A different wire type marks the input malformed and gives 0.
  std::uint64_t varint();
  /// Value of a length-delimited field (a view into the input); other wire types as above.
  ByteView bytes();
  /// Marks the input malformed (a nested message failed to decode).
  void mark_bad() { ok_ = false; }

 private:
  bool read_varint(std::uint64_t& v);
  bool read_tag();
  bool read_value(int depth);
  bool read_bytes();
  bool skip_group(std::uint32_t field, int depth);

  const char* p_;
  const char* end_;
  bool ok_ = true;
  std::uint32_t field_ = 0;
  WireType type_ = WireType::kVarint;
  std::uint64_t number_ = 0;
  ByteView bytes_;
};

}  // namespace truss
