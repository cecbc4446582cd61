#include "json_message.h"

#include <doctest/doctest.h>

#include "random_message.h"
#include "truss/proto/rpc.pb.h"

using namespace truss;
using namespace truss::api;
namespace pb = etcdserverpb;

namespace {

std::string json_of(const google::protobuf::Message& m, JsonDialect dialect = JsonDialect::kV1) {
  std::string out;
  append_json(out, m, dialect);
  return out;
}

template <class Message>
Result<Message> read(std::string_view text, JsonDialect dialect = JsonDialect::kV1) {
  const auto step = read_json(text, true);
  REQUIRE(step.state == JsonStep::State::kValue);
  Message out;
  TRUSS_TRY(from_json(step.value, out, dialect));
  return out;
}

}  // namespace

TEST_CASE("json: a response prints as the gateway of 3.4.23 printed it") {
  pb::HashResponse hash;
  hash.mutable_header()->set_cluster_id(324952591200643719u);
  hash.mutable_header()->set_member_id(3319814642761637952u);
  hash.mutable_header()->set_revision(1);
  hash.mutable_header()->set_raft_term(2);
  hash.set_hash(2164779977u);
  CHECK(json_of(hash) ==
        R"({"header":{"cluster_id":"324952591200643719","member_id":"3319814642761637952",)"
        R"("revision":"1","raft_term":"2"},"hash":2164779977})");
}

TEST_CASE("json: zeros are left out, empty messages stay, enums go by name") {
  pb::WatchResponse watch;
  watch.mutable_header();
  auto& event = *watch.add_events();
  event.set_type(mvccpb::Event::DELETE);
  event.mutable_kv()->set_key("k");
  CHECK(json_of(watch) == R"({"header":{},"events":[{"type":"DELETE","kv":{"key":"aw=="}}]})");
  pb::AlarmResponse alarms;
  alarms.add_alarms()->set_alarm(static_cast<pb::AlarmType>(9));
  CHECK(json_of(alarms) == R"({"alarms":[{"alarm":9}]})");
  CHECK(json_of(pb::DefragmentResponse()) == "{}");
}

TEST_CASE("json: both spellings of a name, numbers as text, enums by number, unknown names") {
  const auto put = read<pb::PutRequest>(R"({"key":"Zm9v","prevKv":true,"lease":"-7","what":[1]})");
  REQUIRE(put);
  CHECK(put->key() == "foo");
  CHECK(put->prev_kv());
  CHECK(put->lease() == -7);
  const auto txn = read<pb::TxnRequest>(
      R"({"success":[{"requestRange":{"key":"YQ==","sort_order":"DESCEND","sortTarget":4}}]})");
  REQUIRE(txn);
  const auto& range = txn->success(0).request_range();
  CHECK(range.sort_order() == pb::RangeRequest::DESCEND);
  CHECK(range.sort_target() == pb::RangeRequest::VALUE);
  CHECK(read<pb::PutRequest>(R"({"key":"YQ==","key":"Yg=="})")->key() == "b");
  CHECK(read<pb::RangeRequest>(R"({"key":[104,105],"limit":null})")->key() == "hi");
}

TEST_CASE("json: errors of jsonpb, as seen on 3.4.23") {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"key":5})", "json: cannot unmarshal number into Go value of type []uint8"},
      {R"({"key":"Zm9"})", "illegal base64 data at input byte 0"},
      {R"({"limit":"x"})", "invalid character 'x' looking for beginning of value"},
      {R"({"limit":""})", "unexpected end of JSON input"},
      {R"({"limit":1.5})", "json: cannot unmarshal number 1.5 into Go value of type int64"},
      {R"({"limit":true})", "json: cannot unmarshal bool into Go value of type int64"},
      {R"({"sort_order":"x"})", "unknown value \"x\" for enum etcdserverpb.RangeRequest_SortOrder"},
      {R"({"serializable":"x"})", "json: cannot unmarshal string into Go value of type bool"},
      {"[]", "json: cannot unmarshal array into Go value of type map[string]json.RawMessage"}};
  for (const auto& [text, error] : cases) {
    CAPTURE(text);
    const auto range = read<pb::RangeRequest>(text);
    REQUIRE(!range);
    CHECK(range.error().code == Code::kInvalidArgument);
    CHECK(range.error().message == error);
  }
}

TEST_CASE("json: protojson takes whole floats and loose base64, and refuses repeats") {
  constexpr auto kV2 = JsonDialect::kV2;
  CHECK(read<pb::RangeRequest>(R"({"limit":1e3,"key":"_-8"})", kV2)->limit() == 1000);
  CHECK(read<pb::RangeRequest>(R"({"key":"_-8"})", kV2)->key() == "\xff\xef");
  CHECK(!read<pb::RangeRequest>(R"({"limit":1.5})", kV2));
  CHECK(!read<pb::RangeRequest>(R"({"key":"YQ==","key":"Yg=="})", kV2));
  CHECK(!read<pb::RequestOp>(R"({"request_put":{},"request_range":{}})", kV2));
}

TEST_CASE("json: a random message reads back as itself in both dialects") {
  SeededRandom random(11);
  for (int round = 0; round < 300; ++round) {
    pb::TxnRequest request;
    fill_randomly(request, random, 4);
    pb::WatchResponse response;
    fill_randomly(response, random, 3);
    for (const auto dialect : {JsonDialect::kV1, JsonDialect::kV2}) {
      const auto request_again = read<pb::TxnRequest>(json_of(request, dialect), dialect);
      REQUIRE(request_again);
      CHECK(request_again->SerializeAsString() == request.SerializeAsString());
      const auto response_again = read<pb::WatchResponse>(json_of(response, dialect), dialect);
      REQUIRE(response_again);
      CHECK(response_again->SerializeAsString() == response.SerializeAsString());
    }
  }
}
