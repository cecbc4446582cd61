#include <cstdint>
#include <string>

#include "truss/common/check.h"
#include "truss/mvcc/request_codec.h"

// Any bytes as each of the KV requests. What decodes keeps to its input, and twice the same message
// in a row is that message again, but for its lists, which double (protobuf's merge).
using namespace truss;
using namespace truss::mvcc;

namespace {

void check_within(ByteView part, ByteView whole) {
  if (part.empty()) return;
  TRUSS_CHECK(part.data() >= whole.data());
  TRUSS_CHECK(part.data() + part.size() <= whole.data() + whole.size());
}

void check_views(const RangeRequest& r, ByteView bytes) {
  check_within(r.key, bytes);
  check_within(r.range_end, bytes);
}
void check_views(const PutRequest& r, ByteView bytes) {
  check_within(r.key, bytes);
  check_within(r.value, bytes);
}
void check_views(const DeleteRangeRequest& r, ByteView bytes) {
  check_within(r.key, bytes);
  check_within(r.range_end, bytes);
}
void check_views(const TxnRequest& r, ByteView bytes);
void check_views(std::monostate, ByteView) {}

void check_views(const TxnRequest& r, ByteView bytes) {
  for (const Compare& c : r.compare) {
    check_within(c.key, bytes);
    check_within(c.range_end, bytes);
    check_within(c.value, bytes);
    TRUSS_CHECK(c.value.empty() || c.target == CompareTarget::kValue);
    TRUSS_CHECK(c.number == 0 || c.target != CompareTarget::kValue);
  }
  for (const auto* ops : {&r.success, &r.failure}) {
    for (const RequestOp& op : *ops)
      std::visit([&](const auto& o) { check_views(o, bytes); }, op.op);
  }
}

bool same(const RangeRequest& a, const RangeRequest& b) {
  return a.key == b.key && a.range_end == b.range_end && a.limit == b.limit &&
         a.revision == b.revision && a.sort_order == b.sort_order &&
         a.sort_target == b.sort_target && a.serializable == b.serializable &&
         a.keys_only == b.keys_only && a.count_only == b.count_only &&
         a.min_mod_revision == b.min_mod_revision && a.max_mod_revision == b.max_mod_revision &&
         a.min_create_revision == b.min_create_revision &&
         a.max_create_revision == b.max_create_revision;
}
bool same(const PutRequest& a, const PutRequest& b) {
  return a.key == b.key && a.value == b.value && a.lease == b.lease && a.prev_kv == b.prev_kv &&
         a.ignore_value == b.ignore_value && a.ignore_lease == b.ignore_lease;
}
bool same(const DeleteRangeRequest& a, const DeleteRangeRequest& b) {
  return a.key == b.key && a.range_end == b.range_end && a.prev_kv == b.prev_kv;
}
bool same(const TxnRequest& once, const TxnRequest& twice) {
  return twice.compare.size() == 2 * once.compare.size() &&
         twice.success.size() == 2 * once.success.size() &&
         twice.failure.size() == 2 * once.failure.size();
}

template <class Request>
void check(ByteView bytes) {
  const auto once = decode<Request>(bytes);
  if (!once) return;
  check_views(*once, bytes);
  const std::string doubled = std::string(bytes) + std::string(bytes);
  const auto twice = decode<Request>(doubled);
  TRUSS_CHECK(twice.has_value());
  TRUSS_CHECK(same(*once, *twice));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(reinterpret_cast<const char*>(data), size);
  check<RangeRequest>(bytes);
  check<PutRequest>(bytes);
  check<DeleteRangeRequest>(bytes);
  check<TxnRequest>(bytes);
  return 0;
}
