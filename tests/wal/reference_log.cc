#include "reference_log.h"

#include <optional>

namespace truss::wal::reference {
namespace {

std::uint8_t byte_at(ByteView bytes, std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); }

/// Protobuf, one byte at a time. Only what a Record may hold; groups count as malformed unless
/// they are whole.
class Scanner {
 public:
  explicit Scanner(ByteView in) : in_(in) {}
  bool at_end() const { return at_ == in_.size(); }

  std::optional<std::uint64_t> varint() {
    std::uint64_t value = 0;
    for (int i = 0; i < 10; ++i) {
      if (at_end()) return std::nullopt;
      const std::uint8_t b = byte_at(in_, at_++);
      if (i == 9 && b > 1) return std::nullopt;  // beyond 64 bits
      value |= static_cast<std::uint64_t>(b & 0x7f) << (7 * i);
      if ((b & 0x80) == 0) return value;
    }
    return std::nullopt;
  }

  std::optional<std::string> take(std::uint64_t count) {
    if (count > in_.size() - at_) return std::nullopt;
    const std::string out(in_.substr(at_, count));
    at_ += count;
    return out;
  }

  /// Steps over a value of that wire type.
  bool skip(std::uint64_t field, std::uint64_t wire) {
    switch (wire) {
      case 0:
        return varint().has_value();
      case 1:
        return take(8).has_value();
      case 2: {
        const auto size = varint();
        return size && take(*size).has_value();
      }
      case 3:
        return skip_group(field);
      case 5:
        return take(4).has_value();
      default:
        return false;
    }
  }

 private:
  bool skip_group(std::uint64_t field) {
    for (;;) {
      const auto tag = varint();
      if (!tag || *tag >> 3 == 0 || *tag >> 3 > (1U << 29) - 1) return false;
      if ((*tag & 7) == 4) return *tag >> 3 == field;
      if (!skip(*tag >> 3, *tag & 7)) return false;
    }
  }

  ByteView in_;
  std::size_t at_ = 0;
};

std::optional<Record> parse_record(ByteView bytes) {
  Record record;
  Scanner in(bytes);
  while (!in.at_end()) {
    const auto tag = in.varint();
    if (!tag) return std::nullopt;
    const std::uint64_t field = *tag >> 3;
    const std::uint64_t wire = *tag & 7;
    if (field == 0 || field > (1U << 29) - 1) return std::nullopt;
    if (field == 3) {
      if (wire != 2) return std::nullopt;
      const auto size = in.varint();
      auto data = size ? in.take(*size) : std::nullopt;
      if (!data) return std::nullopt;
      record.data = *data;
    } else if (field == 1 || field == 2) {
      // The library's reader takes fixed-width numbers too; etcd's does not. No writer makes them.
      std::optional<std::uint64_t> value;
      if (wire == 0) value = in.varint();
      if (wire == 1 || wire == 5) {
        const auto raw = in.take(wire == 1 ? 8 : 4);
        if (raw) {
          value = 0;
          for (std::size_t i = raw->size(); i-- > 0;) value = *value << 8 | byte_at(*raw, i);
        }
      }
      if (!value) return std::nullopt;
      if (field == 1) record.type = *value;
      if (field == 2) record.crc = static_cast<std::uint32_t>(*value);
    } else if (!in.skip(field, wire)) {
      return std::nullopt;
    }
  }
  return record;
}

bool torn(ByteView file, std::uint64_t from, std::uint64_t to) {
  for (std::uint64_t at = from; at < to;) {
    bool zero = true;
    do zero = zero && file[at] == 0;
    while (++at < to && at % 512 != 0);
    if (zero) return true;
  }
  return false;
}

std::uint64_t length_field(ByteView file, std::uint64_t at) {
  std::uint64_t value = 0;
  for (int i = 7; i >= 0; --i) value = value << 8 | byte_at(file, at + static_cast<unsigned>(i));
  return value;
}

}  // namespace

std::uint32_t crc32c(ByteView bytes, std::uint32_t seed) {
  std::uint32_t crc = ~seed;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    crc ^= byte_at(bytes, i);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ 0x82F63B78 : crc >> 1;
  }
  return ~crc;
}

Log read(ByteView file) {
  Log log;
  std::uint32_t running = 0;
  for (;;) {
    const std::uint64_t at = log.end_offset;
    if (at == file.size()) return log;
    const auto end_as = [&](End end) { return log.end = end, log; };
    if (file.size() - at < 8) return end_as(End::kTorn);
    const std::uint64_t field = length_field(file, at);
    if (field == 0) return log;
    const std::uint64_t size = field & 0x00ff'ffff'ffff'ffff;
    const std::uint64_t padding = field >> 63 != 0 ? field >> 56 & 7 : 0;
    if (size > file.size() || at + 8 + size + padding > file.size()) return end_as(End::kTorn);
    const std::uint64_t next = at + 8 + size + padding;
    const End if_bad = torn(file, at + 8, next) ? End::kTorn : End::kDamaged;
    auto record = parse_record(file.substr(at + 8, size));
    if (!record) return end_as(if_bad);
    record->offset = at;
    if (record->type == 4) {
      if (running != 0 && running != record->crc) return end_as(End::kDamaged);
    } else if (crc32c(record->data, running) != record->crc) {
      return end_as(if_bad);
    }
    running = record->crc;
    log.end_offset = next;
    log.records.push_back(*std::move(record));
  }
}

}  // namespace truss::wal::reference
