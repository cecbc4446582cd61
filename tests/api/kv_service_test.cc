#include "api_errors.h"
#include "api_fixture.h"

using namespace truss;
using namespace truss::api;
using enum server::CompatLevel;

namespace {

pb::RequestOp put_op(const std::string& key) {
  pb::RequestOp op;
  op.mutable_request_put()->set_key(key);
  return op;
}

pb::TxnRequest txn_of(std::vector<pb::RequestOp> ops) {
  pb::TxnRequest txn;
  for (auto& op : ops) *txn.add_success() = std::move(op);
  return txn;
}

}  // namespace

TEST_CASE("kv: a put and a range, with full headers") {
  SimApi api;
  const auto put = api.put("k", "v");
  REQUIRE(put);
  CHECK(put->header().revision() == 2);
  CHECK(put->header().cluster_id() == api.server->cluster_id().value());
  CHECK(put->header().member_id() == api.server->member_id().value());
  CHECK(put->header().raft_term() == api.server->term().value());
  for (const bool serializable : {false, true}) {
    pb::RangeRequest request;
    request.set_key("k");
    request.set_serializable(serializable);
    const auto range = api.call<pb::RangeResponse>("/etcdserverpb.KV/Range", request);
    REQUIRE(range);
    CHECK(range->count() == 1);
    CHECK(range->kvs(0).value() == "v");
    CHECK(range->header().revision() == 2);
    CHECK(range->header().raft_term() != 0);
  }
}

TEST_CASE("kv: errors, their codes and texts") {
  SimApi api;
  REQUIRE(api.put("k", "v"));
  const auto range_error = [&](auto change) {
    pb::RangeRequest r;
    r.set_key("k");
    change(r);
    const auto got = api.call<pb::RangeResponse>("/etcdserverpb.KV/Range", r);
    return got ? Error{} : got.error();
  };
  const auto put_error = [&](auto change) {
    pb::PutRequest r;
    r.set_key("k");
    change(r);
    const auto got = api.call<pb::PutResponse>("/etcdserverpb.KV/Put", r);
    return got ? Error{} : got.error();
  };
  const auto txn_error = [&](const pb::TxnRequest& r) {
    const auto got = api.call<pb::TxnResponse>("/etcdserverpb.KV/Txn", r);
    return got ? Error{} : got.error();
  };
  const auto check = [](const Error& error, Code code, const char* text) {
    CHECK(error.code == code);
    CHECK(error.message == text);
  };
  check(range_error([](auto& r) { r.clear_key(); }), Code::kInvalidArgument,
        "etcdserver: key is not provided");
  check(range_error([](auto& r) { r.set_revision(99); }), Code::kOutOfRange,
        "etcdserver: mvcc: required revision is a future revision");
  check(put_error([](auto& r) { r.clear_key(); }), Code::kInvalidArgument,
        "etcdserver: key is not provided");
  check(put_error([](auto& r) { r.set_value("x"), r.set_ignore_value(true); }),
        Code::kInvalidArgument, "etcdserver: value is provided");
  check(put_error([](auto& r) { r.set_lease(1), r.set_ignore_lease(true); }),
        Code::kInvalidArgument, "etcdserver: lease is provided");
  check(put_error([](auto& r) { r.set_lease(77); }), Code::kNotFound,
        "etcdserver: requested lease not found");
  check(put_error([](auto& r) { r.set_key("none"), r.set_ignore_value(true); }),
        Code::kInvalidArgument, "etcdserver: key not found");
  check(put_error([](auto& r) { r.set_value(std::string(1572864, 'x')); }), Code::kInvalidArgument,
        "etcdserver: request is too large");
  check(txn_error(txn_of({put_op("a"), put_op("a")})), Code::kInvalidArgument,
        "etcdserver: duplicate key given in txn request");
  check(txn_error(txn_of({pb::RequestOp()})), Code::kInvalidArgument, "etcdserver: key not found");
  check(txn_error(txn_of(std::vector<pb::RequestOp>(129, put_op("a")))), Code::kInvalidArgument,
        "etcdserver: too many operations in txn request");
  pb::CompactionRequest compaction;
  compaction.set_revision(99);
  const auto future = api.call<pb::CompactionResponse>("/etcdserverpb.KV/Compact", compaction);
  check(future.error(), Code::kOutOfRange,
        "etcdserver: mvcc: required revision is a future revision");
  compaction.set_revision(2);
  REQUIRE(api.call<pb::CompactionResponse>("/etcdserverpb.KV/Compact", compaction));
  const auto again = api.call<pb::CompactionResponse>("/etcdserverpb.KV/Compact", compaction);
  check(again.error(), Code::kOutOfRange, "etcdserver: mvcc: required revision has been compacted");
}

TEST_CASE("kv: malformed bytes are refused with the decoder's text, and change nothing") {
  SimApi api;
  const auto before = api.committed();
  const auto got =
      api.call_bytes("/etcdserverpb.KV/Put", SharedBytes::copy(ByteView("\x0a\x01k\x1a\x01x", 6)));
  REQUIRE(!got);
  CHECK(got.error().code == Code::kInternal);
  CHECK(got.error().message ==
        "grpc: error unmarshalling request: proto: wrong wireType = 2 for field Lease");
  CHECK(api.committed() == before);
}

TEST_CASE("kv: unknown fields do not reach the log") {
  SimApi api;
  const auto got = api.call_bytes("/etcdserverpb.KV/Put",
                                  SharedBytes::copy(ByteView("\xf8\x01\x05\x12\x01v\x0a\x01k", 9)));
  REQUIRE(got);
  CHECK(api.server.get("k") == "v");
}

TEST_CASE("kv: an unknown sort target is answered in a read, never logged in a transaction") {
  for (const auto level : {k34, k35, k36}) {
    SimApi api(level);
    REQUIRE(api.put("a", "1"));
    pb::RangeRequest range;
    range.set_key("a");
    range.set_sort_target(static_cast<pb::RangeRequest::SortTarget>(9));
    const auto read = api.call<pb::RangeResponse>("/etcdserverpb.KV/Range", range);
    CHECK(read.has_value() == (level < k36));
    pb::RequestOp op;
    *op.mutable_request_range() = range;
    const auto before = api.committed();
    const auto txn = api.call<pb::TxnResponse>("/etcdserverpb.KV/Txn", txn_of({put_op("b"), op}));
    REQUIRE(!txn);
    CHECK(txn.error().message == "etcdserver: invalid sort option");
    CHECK(api.committed() == before);
  }
}

TEST_CASE("kv: a read-only transaction is not proposed, one with a nested one is") {
  SimApi api;
  REQUIRE(api.put("a", "1"));
  pb::RequestOp read;
  read.mutable_request_range()->set_key("a");
  const auto before = api.committed();
  const auto plain = api.call<pb::TxnResponse>("/etcdserverpb.KV/Txn", txn_of({read}));
  REQUIRE(plain);
  CHECK(plain->succeeded());
  CHECK(plain->responses(0).response_range().kvs(0).value() == "1");
  CHECK(plain->responses(0).response_range().header().revision() == 2);
  CHECK(plain->responses(0).response_range().header().cluster_id() == 0);
  CHECK(api.call<pb::TxnResponse>("/etcdserverpb.KV/Txn", pb::TxnRequest())->succeeded());
  CHECK(api.committed() == before);
  pb::RequestOp nested;
  *nested.mutable_request_txn() = txn_of({read});
  REQUIRE(api.call<pb::TxnResponse>("/etcdserverpb.KV/Txn", txn_of({nested})));
  CHECK(api.committed() == before + 1);
}

TEST_CASE("kv: a token is refused by 3.4, after the request's own faults, and ignored later") {
  CallInfo info;
  info.token = "nobody";
  pb::RangeRequest range;
  for (const auto level : {k34, k35}) {
    SimApi api(level);
    range.clear_key();
    CHECK(api.call<pb::RangeResponse>("/etcdserverpb.KV/Range", range, info).error().message ==
          "etcdserver: key is not provided");
    range.set_key("k");
    const auto got = api.call<pb::RangeResponse>("/etcdserverpb.KV/Range", range, info);
    CHECK(got.has_value() == (level > k34));
    if (!got) CHECK(got.error() == errors::invalid_auth_token());
  }
}

TEST_CASE("kv: the client's API version is checked from 3.6 on and counted") {
  CallInfo info;
  info.client_api_version = "\xff";
  pb::RangeRequest range;
  range.set_key("k");
  SimApi old(k35);
  CHECK(old.call<pb::RangeResponse>("/etcdserverpb.KV/Range", range, info));
  SimApi api(k36);
  const auto got = api.call<pb::RangeResponse>("/etcdserverpb.KV/Range", range, info);
  REQUIRE(!got);
  CHECK(got.error() == errors::invalid_client_api_version());
  info.client_api_version = "3.6";
  REQUIRE(api.call<pb::RangeResponse>("/etcdserverpb.KV/Range", range, info));
  CHECK(api.services->dispatcher.client_requests().at({"unary", "3.6"}) == 1);
}
