#include <cstdint>

#include "json_message.h"
#include "proto_bytes.h"
#include "truss/common/check.h"
#include "truss/proto/rpc.pb.h"
#include "wire_scan.h"

// Any bytes as a gateway request: what is taken becomes a request whose encoding is canonical, and
// that prints as JSON that reads back as the same request. A prefix never reads as something else.

using namespace truss;
using namespace truss::api;

namespace {

const WireSchema& schema_of(const google::protobuf::Descriptor* type) {
  static WireSchemas schemas;
  return schemas.of(type);
}

template <class Message>
void check(const JsonValue& value, JsonDialect dialect) {
  Message message;
  if (!from_json(value, message, dialect)) return;
  const std::string bytes = message.SerializeAsString();
  const auto canonical = schema_of(Message::descriptor()).scan(bytes);
  TRUSS_CHECK(!canonical || *canonical);
  std::string text;
  append_json(text, message, dialect);
  const JsonStep step = read_json(text, true);
  TRUSS_CHECK(step.state == JsonStep::State::kValue && step.consumed == text.size());
  Message again;
  TRUSS_CHECK(from_json(step.value, again, dialect).has_value());
  TRUSS_CHECK(again.SerializeAsString() == bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView text(reinterpret_cast<const char*>(data), size);
  const JsonStep step = read_json(text, true);
  if (step.state == JsonStep::State::kBad) TRUSS_CHECK(!step.error.empty());
  if (step.state != JsonStep::State::kValue) return 0;
  TRUSS_CHECK(step.consumed <= size);
  for (const JsonDialect dialect : {JsonDialect::kV1, JsonDialect::kV2}) {
    check<etcdserverpb::TxnRequest>(step.value, dialect);
    check<etcdserverpb::PutRequest>(step.value, dialect);
    check<etcdserverpb::WatchRequest>(step.value, dialect);
    check<etcdserverpb::MemberAddRequest>(step.value, dialect);
  }
  return 0;
}
