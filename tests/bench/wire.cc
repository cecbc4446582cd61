#include "wire.h"

#include <optional>

namespace truss::bench {
namespace {

void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

void put_bytes(std::string& out, int field, ByteView bytes) {
  put_varint(out, static_cast<std::uint64_t>(field) << 3 | 2);
  put_varint(out, bytes.size());
  out += bytes;
}

void put_number(std::string& out, int field, std::uint64_t value) {
  if (value == 0) return;
  put_varint(out, static_cast<std::uint64_t>(field) << 3);
  put_varint(out, value);
}

/// One buffer for all messages of the generator's thread.
std::string& scratch() {
  thread_local std::string buffer;
  buffer.clear();
  return buffer;
}

std::optional<std::uint64_t> take_varint(ByteView& in) {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64 && !in.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

struct Field {
  std::uint64_t number = 0;
  std::uint64_t value = 0;
  ByteView bytes;
};

/// Next field of a message; nullopt at its end or at what isn't one.
std::optional<Field> take_field(ByteView& in) {
  const auto tag = take_varint(in);
  if (!tag) return std::nullopt;
  const auto value = take_varint(in);
  if (!value) return std::nullopt;
  Field field{*tag >> 3, *value, {}};
  if ((*tag & 7) == 0) return field;
  if ((*tag & 7) != 2 || *value > in.size()) return std::nullopt;
  field.bytes = in.substr(0, *value);
  in.remove_prefix(*value);
  return field;
}

std::string value_of_event(ByteView event) {
  while (const auto field = take_field(event)) {
    if (field->number != 2) continue;
    ByteView kv = field->bytes;
    while (const auto inner = take_field(kv)) {
      if (inner->number == 5) return std::string(inner->bytes);
    }
  }
  return {};
}

}  // namespace

SharedBytes put_request(ByteView key, ByteView value) {
  std::string& out = scratch();
  put_bytes(out, 1, key);
  put_bytes(out, 2, value);
  return SharedBytes::copy(out);
}

SharedBytes range_request(ByteView key, ByteView range_end, std::int64_t limit, bool serializable) {
  std::string& out = scratch();
  put_bytes(out, 1, key);
  if (!range_end.empty()) put_bytes(out, 2, range_end);
  put_number(out, 3, static_cast<std::uint64_t>(limit));
  put_number(out, 7, serializable ? 1 : 0);
  return SharedBytes::copy(out);
}

SharedBytes txn_request(ByteView key, ByteView value) {
  std::string message;
  std::string name(key);
  for (char digit = '0'; digit < '4'; ++digit) {
    name.back() = digit;
    const SharedBytes put = put_request(name, value);
    std::string op;
    put_bytes(op, 2, put.view());
    put_bytes(message, 2, op);
  }
  return SharedBytes::copy(message);
}

SharedBytes puts_request(const std::vector<std::string>& keys, ByteView value) {
  std::string message;
  for (const std::string& key : keys) {
    const SharedBytes put = put_request(key, value);
    std::string op;
    put_bytes(op, 2, put.view());
    put_bytes(message, 2, op);
  }
  return SharedBytes::copy(message);
}

SharedBytes member_add_request(ByteView peer_url) {
  std::string& out = scratch();
  put_bytes(out, 1, peer_url);
  return SharedBytes::copy(out);
}

SharedBytes watch_create_request(ByteView key) {
  std::string create;
  put_bytes(create, 1, key);
  std::string& out = scratch();
  put_bytes(out, 1, create);
  return SharedBytes::copy(out);
}

SharedBytes lease_grant_request(std::int64_t ttl_seconds) {
  std::string& out = scratch();
  put_number(out, 1, static_cast<std::uint64_t>(ttl_seconds));
  return SharedBytes::copy(out);
}

WatchSummary parse_watch_response(ByteView message) {
  WatchSummary out;
  ByteView last_event;
  while (const auto field = take_field(message)) {
    if (field->number == 3) out.created = field->value != 0;
    if (field->number != 11) continue;
    ++out.events;
    last_event = field->bytes;
  }
  if (out.events > 0) out.last_value = value_of_event(last_event);
  return out;
}

}  // namespace truss::bench
