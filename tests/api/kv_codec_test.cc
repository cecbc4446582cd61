#include "kv_codec.h"

#include <doctest/doctest.h>

#include "truss/proto/rpc.pb.h"

using namespace truss;
using namespace truss::api;
namespace pb = etcdserverpb;

namespace {

mvcc::KeyValue key_value(ByteView key, ByteView value, std::int64_t revision) {
  schema::KeyValueView view;
  view.key = key;
  view.value = value;
  view.create_revision = view.mod_revision = revision;
  view.version = 1;
  return mvcc::KeyValue::encode(view);
}

template <class Message>
Message parsed(const SharedBytes& bytes) {
  Message out;
  REQUIRE(out.ParseFromArray(bytes.view().data(), static_cast<int>(bytes.size())));
  // What we write is what the generated code would write.
  CHECK(out.SerializeAsString() == bytes.view());
  return out;
}

constexpr Header kHeader{.cluster_id = 11, .member_id = 12, .raft_term = 13};

}  // namespace

TEST_CASE("codec: a put request's fields arrive") {
  pb::PutRequest put;
  put.set_key("k");
  put.set_value("v");
  put.set_lease(-3);
  put.set_ignore_lease(true);
  const std::string bytes = put.SerializeAsString();
  const auto got = decode_put(bytes);
  REQUIRE(got);
  CHECK(got->key == "k");
  CHECK(got->value == "v");
  CHECK(got->lease == mvcc::LeaseId{-3});
  CHECK(got->ignore_lease);
  CHECK_FALSE(got->prev_kv);
}

TEST_CASE("codec: a compare's union counts only if it matches the target") {
  pb::TxnRequest txn;
  auto& matching = *txn.add_compare();
  matching.set_key("a");
  matching.set_target(pb::Compare::MOD);
  matching.set_mod_revision(7);
  auto& other = *txn.add_compare();
  other.set_key("b");
  other.set_target(pb::Compare::VALUE);
  other.set_version(7);
  txn.add_success()->mutable_request_txn()->add_failure()->mutable_request_range()->set_key("c");
  txn.add_failure();
  const std::string bytes = txn.SerializeAsString();
  const auto got = decode_txn(bytes);
  REQUIRE(got);
  CHECK(got->compare.at(0).number == 7);
  CHECK(got->compare.at(1).number == 0);
  CHECK(got->compare.at(1).value.empty());
  const auto& nested = std::get<mvcc::TxnRequest>(got->success.at(0).op);
  CHECK(std::get<mvcc::RangeRequest>(nested.failure.at(0).op).key == "c");
  CHECK(std::holds_alternative<std::monostate>(got->failure.at(0).op));
}

TEST_CASE("codec: a range response") {
  mvcc::RangeResult result;
  result.revision = 9;
  result.kvs = {key_value("a", "1", 3), key_value("b", "", 4)};
  result.count = 5;
  result.more = true;
  const auto got = parsed<pb::RangeResponse>(encode_range(kHeader, result));
  CHECK(got.header().cluster_id() == 11);
  CHECK(got.header().revision() == 9);
  CHECK(got.header().raft_term() == 13);
  REQUIRE(got.kvs_size() == 2);
  CHECK(got.kvs(0).value() == "1");
  CHECK(got.kvs(1).mod_revision() == 4);
  CHECK(got.more());
  CHECK(got.count() == 5);
}

TEST_CASE("codec: inside a txn a header has the revision alone, a nested txn's is empty") {
  mvcc::TxnResult nested;
  nested.succeeded = true;
  nested.responses.push_back({mvcc::PutResult{.revision = 6, .prev_kv = key_value("k", "old", 2)}});
  mvcc::TxnResult txn;
  txn.revision = 6;
  txn.responses.push_back({std::move(nested)});
  txn.responses.push_back({mvcc::DeleteRangeResult{6, 2, {}}});
  const auto got = parsed<pb::TxnResponse>(encode_txn(kHeader, txn));
  CHECK(got.header().member_id() == 12);
  CHECK_FALSE(got.succeeded());
  const auto& inner = got.responses(0).response_txn();
  CHECK(inner.has_header());
  CHECK(inner.header().ByteSizeLong() == 0);
  CHECK(inner.responses(0).response_put().prev_kv().value() == "old");
  CHECK(inner.responses(0).response_put().header().revision() == 6);
  CHECK(inner.responses(0).response_put().header().cluster_id() == 0);
  CHECK(got.responses(1).response_delete_range().deleted() == 2);
}

TEST_CASE("codec: a watch response, whole and in part; sizes are exact") {
  mvcc::WatchResponse response;
  response.watch_id = 4;
  response.revision = 8;
  std::vector<mvcc::Event> events;
  for (const char* key : {"a", "b", "c"}) {
    mvcc::Event event;
    event.kv = key_value(key, "v", 8);
    events.push_back(event);
  }
  events[2].type = mvcc::Event::Type::kDelete;
  events[0].prev_kv = key_value("a", "before", 7);
  response.events = std::move(events);
  const auto whole = encode_watch(kHeader, response, 0, 3, false);
  CHECK(whole.size() == watch_size(kHeader, response));
  const auto got = parsed<pb::WatchResponse>(whole);
  CHECK(got.events(0).prev_kv().value() == "before");
  CHECK(got.events(2).type() == mvccpb::Event::DELETE);
  const auto part = encode_watch(kHeader, response, 1, 2, true);
  CHECK(parsed<pb::WatchResponse>(part).fragment());
  CHECK(parsed<pb::WatchResponse>(part).events_size() == 1);
  const SharedBytes encoded = encode_events(response.events);
  CHECK(encode_watch(kHeader, response, 4, encoded.view()).view() == whole.view());
  const auto other = encode_watch(kHeader, response, 5, encoded.view());
  CHECK(parsed<pb::WatchResponse>(other).watch_id() == 5);
  CHECK(parsed<pb::WatchResponse>(other).events_size() == 3);
}

TEST_CASE("codec: a cancel for compaction") {
  mvcc::WatchResponse response;
  response.watch_id = -1;
  response.canceled = true;
  response.compact_revision = 5;
  response.cancel_reason = "why";
  const auto got = parsed<pb::WatchResponse>(encode_watch(kHeader, response, 0, 0, false));
  CHECK(got.watch_id() == -1);
  CHECK(got.canceled());
  CHECK(got.compact_revision() == 5);
  CHECK(got.cancel_reason() == "why");
}
