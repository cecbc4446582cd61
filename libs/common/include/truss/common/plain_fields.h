#pragma once

#include <cstdint>

#include "truss/common/bytes.h"

namespace truss {

/// Reads a protobuf message as its writers write it: each field once at most, in the order asked
/// for, nothing else. Inline, for the few messages that are read by the million. Where whole() is
/// false the message may yet be a good one: then PbReader has to say.
///
///   PlainFields in(bytes);
///   in.varint(1, id);
///   in.bytes(3, data);
///   if (in.whole()) return …;
class PlainFields {
 public:
  explicit PlainFields(ByteView bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

  /// Field `number` (1 to 15) if it is next; otherwise `value` stays.
  void varint(unsigned number, std::uint64_t& value) {
    if (next(number << 3)) read(value);
  }
  void bytes(unsigned number, ByteView& value) {
    std::uint64_t size = 0;
    if (!next(number << 3 | 2)) return;
    read(size);
    if (size > static_cast<std::uint64_t>(end_ - at_)) plain_ = false;
    if (!plain_) return;
    value = ByteView(at_, size);
    at_ += size;
  }
  /// All was read, and all of it plain.
  bool whole() const { return plain_ && at_ == end_; }

 private:
  bool next(unsigned tag) {
    if (!plain_ || at_ == end_ || static_cast<unsigned char>(*at_) != tag) return false;
    ++at_;
    return true;
  }
  /// Nine bytes at most: what a tenth means is PbReader's to say.
  void read(std::uint64_t& value) {
    std::uint64_t out = 0;
    for (unsigned shift = 0; shift < 63 && at_ != end_; shift += 7) {
      const auto byte = static_cast<unsigned char>(*at_++);
      out |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) {
        value = out;
        return;
      }
    }
    plain_ = false;
  }

  const char* at_;
  const char* const end_;
  bool plain_ = true;
};

}  // namespace truss
