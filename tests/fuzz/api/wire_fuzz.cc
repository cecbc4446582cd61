#include <cstdint>

#include "kv_codec.h"
#include "truss/common/check.h"
#include "truss/proto/rpc.pb.h"
#include "wire_scan.h"

// Any bytes as a request: what the scan calls canonical is byte for byte what the encoder writes,
// and the decoders take it.

using namespace truss;
using namespace truss::api;

namespace {

const WireSchema& schema_of(const google::protobuf::Descriptor* type) {
  static WireSchemas schemas;
  return schemas.of(type);
}

// True if canonical.
template <class Message>
bool check(ByteView bytes) {
  const auto verdict = schema_of(Message::descriptor()).scan(bytes);
  if (!verdict) {
    TRUSS_CHECK(!verdict.error().message.empty());
    return false;
  }
  Message message;
  const bool parsed = message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  if (!*verdict) return false;
  TRUSS_CHECK(parsed);
  TRUSS_CHECK(message.SerializeAsString() == bytes);
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(reinterpret_cast<const char*>(data), size);
  if (check<etcdserverpb::TxnRequest>(bytes)) TRUSS_CHECK(decode_txn(bytes).has_value());
  if (check<etcdserverpb::PutRequest>(bytes)) TRUSS_CHECK(decode_put(bytes).has_value());
  if (check<etcdserverpb::RangeRequest>(bytes)) TRUSS_CHECK(decode_range(bytes).has_value());
  if (check<etcdserverpb::DeleteRangeRequest>(bytes)) {
    TRUSS_CHECK(decode_delete_range(bytes).has_value());
  }
  check<etcdserverpb::WatchRequest>(bytes);
  check<etcdserverpb::AlarmRequest>(bytes);
  return 0;
}
