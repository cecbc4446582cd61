#include "wire_scan.h"

#include <doctest/doctest.h>

#include "random_message.h"
#include "truss/proto/rpc.pb.h"

using namespace truss;
using namespace truss::api;
namespace pb = etcdserverpb;

namespace {

const WireSchema& schema_of(const google::protobuf::Descriptor* type) {
  static WireSchemas schemas;
  return schemas.of(type);
}
Result<bool> scan_put(ByteView bytes) {
  return schema_of(pb::PutRequest::descriptor()).scan(bytes);
}

ByteView literal(const char* bytes, std::size_t size) { return {bytes, size}; }
#define BYTES(text) literal(text, sizeof(text) - 1)

}  // namespace

TEST_CASE("scan: what the encoder wrote is canonical") {
  SeededRandom random(3);
  for (int round = 0; round < 500; ++round) {
    pb::TxnRequest txn;
    fill_randomly(txn, random, 5);
    CHECK(schema_of(pb::TxnRequest::descriptor()).scan(txn.SerializeAsString()).value());
    pb::WatchRequest watch;
    fill_randomly(watch, random);
    CHECK(schema_of(pb::WatchRequest::descriptor()).scan(watch.SerializeAsString()).value());
  }
}

TEST_CASE("scan: what is called canonical encodes again to the same bytes, whatever was flipped") {
  SeededRandom random(5);
  int canonical = 0;
  for (int round = 0; round < 20'000; ++round) {
    pb::TxnRequest txn;
    fill_randomly(txn, random, 3);
    std::string bytes = txn.SerializeAsString();
    for (auto n = random.below(3); n > 0 && !bytes.empty(); --n) {
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    }
    const auto verdict = schema_of(pb::TxnRequest::descriptor()).scan(bytes);
    if (!verdict) continue;
    pb::TxnRequest again;
    if (!*verdict) continue;
    REQUIRE(again.ParseFromString(bytes));
    ++canonical;
    again.DiscardUnknownFields();
    CHECK(again.SerializeAsString() == bytes);
  }
  CHECK(canonical > 5'000);
}

TEST_CASE("scan: well formed but not canonical") {
  CHECK(scan_put(BYTES("\x0a\x01k\x12\x01v")).value());
  CHECK_FALSE(scan_put(BYTES("\x12\x01v\x0a\x01k")).value());                 // order
  CHECK_FALSE(scan_put(BYTES("\x0a\x01k\x0a\x01l")).value());                 // repeat
  CHECK_FALSE(scan_put(BYTES("\x0a\x81\x00k")).value());                      // long varint
  CHECK_FALSE(scan_put(BYTES("\x0a\x01k\x12\x00")).value());                  // default written
  CHECK_FALSE(scan_put(BYTES("\x0a\x01k\x20\x02")).value());                  // bool of 2
  CHECK_FALSE(scan_put(BYTES("\x0a\x01k\xf8\x01\x01")).value());              // unknown field 31
  CHECK_FALSE(scan_put(BYTES("\x0a\x01k\xfb\x01\x08\x01\xfc\x01")).value());  // unknown group
}

TEST_CASE("scan: malformed input is refused in the decoder's words") {
  const std::pair<ByteView, const char*> cases[] = {
      {BYTES("\x0a\x05k"), "unexpected EOF"},
      {BYTES("\x0a"), "unexpected EOF"},
      {BYTES("\x08\x01"), "proto: wrong wireType = 0 for field Key"},
      {BYTES("\x1a\x01x"), "proto: wrong wireType = 2 for field Lease"},
      {BYTES("\x21\x01"), "proto: wrong wireType = 1 for field PrevKv"},
      {BYTES("\x02\x01"), "proto: PutRequest: illegal tag 0 (wire type 2)"},
      {BYTES("\x0c"), "proto: PutRequest: wiretype end group for non-group"},
      {BYTES("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01k"),
       "proto: negative length found during unmarshaling"},
      {BYTES("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "proto: integer overflow"},
      {BYTES("\xfe\x01"), "proto: illegal wireType 6"}};
  for (const auto& [bytes, error] : cases) {
    CAPTURE(to_hex(bytes));
    const auto verdict = scan_put(bytes);
    REQUIRE(!verdict);
    CHECK(verdict.error().code == Code::kInternal);
    CHECK(verdict.error().message == error);
  }
}

TEST_CASE("scan: nesting is bounded below what the log's decoder takes") {
  pb::TxnRequest txn;
  for (int i = 0; i < 60; ++i) {
    pb::TxnRequest outer;
    *outer.add_success()->mutable_request_txn() = txn;
    txn = outer;
  }
  CHECK(!schema_of(pb::TxnRequest::descriptor()).scan(txn.SerializeAsString()));
}

TEST_CASE("scan: a packed field may come unpacked, but then is not canonical") {
  const auto& schema = schema_of(pb::WatchCreateRequest::descriptor());
  CHECK(schema.scan(BYTES("\x0a\x01k\x2a\x02\x00\x01")).value());
  CHECK_FALSE(schema.scan(BYTES("\x0a\x01k\x28\x00\x28\x01")).value());
}
