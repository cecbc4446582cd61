#include "requests.h"

#include "truss/common/coding.h"

namespace truss::cluster {
namespace {

constexpr std::uint32_t kCompareVersion = 0;
constexpr std::uint32_t kCompareValue = 3;
constexpr std::uint32_t kCompareGreater = 1;

/// A message under construction.
struct Message {
  std::string bytes;
  PbWriter out{bytes};
};

std::string put_bytes(ByteView key, ByteView value, std::int64_t lease = 0) {
  Message m;
  m.out.field_bytes(1, key);
  m.out.field_bytes(2, value);
  m.out.field_varint(3, static_cast<std::uint64_t>(lease));
  return m.bytes;
}

std::string key_bytes(ByteView key, ByteView range_end = {}) {
  Message m;
  m.out.field_bytes(1, key);
  m.out.field_bytes(2, range_end);
  return m.bytes;
}

/// A RequestOp: `field` 1 range, 2 put, 3 delete.
std::string op_bytes(std::uint32_t field, const std::string& request) {
  Message m;
  m.out.put_bytes(field, request);
  return m.bytes;
}

std::string compare_bytes(ByteView key, const std::optional<std::string>& expected) {
  Message m;
  m.out.field_varint(2, expected ? kCompareValue : kCompareVersion);
  m.out.field_bytes(3, key);
  if (expected) {
    m.out.put_bytes(7, *expected);
  } else {
    m.out.put_varint(4, 0);
  }
  return m.bytes;
}

std::string swap_bytes(const Operation& op) {
  Message m;
  m.out.put_bytes(1, compare_bytes(op.key, op.expected));
  m.out.put_bytes(2, op_bytes(2, put_bytes(op.key, op.argument)));
  m.out.put_bytes(3, op_bytes(1, key_bytes(op.key)));
  return m.bytes;
}

/// The first key of a RangeResponse.
bool take_range(ByteView response, Operation& op) {
  PbReader in(response);
  while (in.next()) {
    if (in.field() != 2) continue;
    op.read = "";
    PbReader kv(in.bytes());
    while (kv.next()) {
      if (kv.field() == 3) op.revision = static_cast<std::int64_t>(kv.varint());
      if (kv.field() == 5) op.read = std::string(kv.bytes());
    }
    if (!kv.ok()) return false;
  }
  return in.ok();
}

bool take_remove(ByteView response, Operation& op) {
  PbReader in(response);
  while (in.next()) {
    if (in.field() == 2) op.applied = in.varint() > 0;
  }
  if (op.applied) op.revision = header_revision(response);
  return in.ok();
}

bool take_swap(ByteView response, Operation& op) {
  PbReader in(response);
  bool good = true;
  while (in.next()) {
    if (in.field() == 2) op.applied = in.varint() != 0;
    if (in.field() != 3) continue;
    PbReader inner(in.bytes());
    while (inner.next()) {
      if (inner.field() == 1) good = take_range(inner.bytes(), op) && good;
    }
  }
  // the revision of what a failed swap read is not its own
  op.revision = op.applied ? header_revision(response) : 0;
  return good && in.ok();
}

bool take(ByteView response, Operation& op) {
  switch (op.kind) {
    case Kind::kGet:
      return take_range(response, op);
    case Kind::kPut:
      op.revision = header_revision(response);
      return op.revision > 0;
    case Kind::kRemove:
      return take_remove(response, op);
    case Kind::kSwap:
      return take_swap(response, op);
  }
  return false;
}

}  // namespace

std::string_view path_of(const Operation& op) {
  switch (op.kind) {
    case Kind::kPut:
      return "/etcdserverpb.KV/Put";
    case Kind::kGet:
      return "/etcdserverpb.KV/Range";
    case Kind::kRemove:
      return "/etcdserverpb.KV/DeleteRange";
    case Kind::kSwap:
      break;
  }
  return "/etcdserverpb.KV/Txn";
}

SharedBytes request_of(const Operation& op) {
  switch (op.kind) {
    case Kind::kPut:
      return put_request(op.key, op.argument);
    case Kind::kGet:
    case Kind::kRemove:
      return remove_request(op.key);
    case Kind::kSwap:
      break;
  }
  return SharedBytes::copy(swap_bytes(op));
}

Result<void> take_answer(ByteView response, Operation& op) {
  if (take(response, op)) return {};
  return fail(Code::kCorruption, "an answer that doesn't decode: " + describe(op));
}

SharedBytes put_request(ByteView key, ByteView value, std::int64_t lease) {
  return SharedBytes::copy(put_bytes(key, value, lease));
}

SharedBytes remove_request(ByteView key, ByteView range_end) {
  return SharedBytes::copy(key_bytes(key, range_end));
}

SharedBytes lease_grant_request(std::int64_t id, std::int64_t ttl_seconds) {
  Message m;
  m.out.field_varint(1, static_cast<std::uint64_t>(ttl_seconds));
  m.out.field_varint(2, static_cast<std::uint64_t>(id));
  return SharedBytes::copy(m.bytes);
}

SharedBytes lease_revoke_request(std::int64_t id) {
  Message m;
  m.out.field_varint(1, static_cast<std::uint64_t>(id));
  return SharedBytes::copy(m.bytes);
}

SharedBytes compact_request(std::int64_t revision) {
  return lease_revoke_request(revision);  // field 1, too
}

SharedBytes txn_request(ByteView guard, ByteView key, ByteView value) {
  Message compare;
  compare.out.field_varint(1, kCompareGreater);
  compare.out.field_bytes(3, guard);
  compare.out.put_varint(4, 0);
  Message m;
  m.out.put_bytes(1, compare.bytes);
  m.out.put_bytes(2, op_bytes(2, put_bytes(key, value)));
  m.out.put_bytes(2, op_bytes(3, key_bytes(guard)));
  m.out.put_bytes(3, op_bytes(2, put_bytes(guard, value)));
  return SharedBytes::copy(m.bytes);
}

std::int64_t header_revision(ByteView response) {
  PbReader in(response);
  while (in.next()) {
    if (in.field() != 1) continue;
    PbReader header(in.bytes());
    while (header.next()) {
      if (header.field() == 3) return static_cast<std::int64_t>(header.varint());
    }
  }
  return 0;
}

}  // namespace truss::cluster
