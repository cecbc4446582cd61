#include <doctest/doctest.h>

#include "log_request.h"
#include "publisher.h"
#include "truss/common/coding.h"
#include "truss/common/random.h"
#include "truss/server/proposal.h"
#include "truss/test_support/hex.h"

using namespace truss;
using namespace truss::server;
using test_support::from_hex;

namespace {

std::string message(std::initializer_list<std::pair<std::uint32_t, std::string>> fields) {
  std::string out;
  for (const auto& [field, bytes] : fields) PbWriter(out).put_bytes(field, bytes);
  return out;
}

}  // namespace

TEST_CASE("real bytes of a put entry decode and encode to themselves") {
  const std::string bytes = from_hex("22120a07") + "key/000" + from_hex("1207") + "value-0" +
                            from_hex("a2060a0886b291bda2c0a8db6f");
  const auto decoded = decode_log_request(bytes);
  REQUIRE(decoded);
  const std::string body(bytes, 2, 18);
  CHECK(encode_internal_request(Op::kPut, body, decoded->id).view() == bytes);
}

TEST_CASE("an operation without fields is encoded, too") {
  const SharedBytes bytes = encode_internal_request(Op::kAlarm, ByteView(), 7);
  CHECK(to_hex(bytes.view()) == "5200a206020807");
}

TEST_CASE("the header comes before operations with higher numbers") {
  const SharedBytes data =
      encode_internal_request(Op::kClusterVersionSet, message({{1, "3.6.0"}}), 7);
  CHECK(to_hex(data.view()) == "a206020807a251070a05332e362e30");
  const auto decoded = decode_log_request(data.view());
  REQUIRE(decoded);
  CHECK(decoded->id == 7);
  CHECK(std::get<ClusterVersionSet>(decoded->op).version == "3.6.0");
}

TEST_CASE("a bare v2 request is recognised as etcd does it") {
  const SharedBytes data = encode_legacy_put(9, "/0/version", "3.4.0");
  const auto decoded = decode_log_request(data.view());
  REQUIRE(decoded);
  const auto& legacy = std::get<LegacyRequest>(decoded->op);
  CHECK(decoded->id == 9);
  CHECK(legacy.method == "PUT");
  CHECK(legacy.path == "/0/version");
  CHECK(legacy.value == "3.4.0");
  // All fields but prevExist (8) and refresh (17), zeros too.
  CHECK(to_hex(data.view()) ==
        "08091203505554"
        "1a0a2f302f76657273696f6e"
        "2205332e342e30"
        "2800320038004800500058006000680070007800800100");
}

TEST_CASE("wrong wire types and cut bytes never pass for an operation") {
  const std::string put = message({{1, "k"}, {2, "v"}});
  const std::string bad_key = from_hex("0801");
  CHECK(!decode_log_request(from_hex("2001")));  // put as a varint
  CHECK(!decode_log_request(message({{4, put}}).substr(0, 6)));
  CHECK(!decode_log_request("\xff"));
  // etcd takes these for v2 requests, whose fields 4 and 6 are strings.
  for (const std::string& bytes :
       {message({{4, bad_key}}), message({{6, message({{2, message({{2, bad_key}})}})}})}) {
    const auto decoded = decode_log_request(bytes);
    REQUIRE(decoded);
    CHECK(std::get<LegacyRequest>(decoded->op).method.empty());
  }
}

TEST_CASE("deep nesting is refused, not followed") {
  std::string txn;
  for (int i = 0; i < 4000; ++i) txn = message({{2, message({{4, txn}})}});
  CHECK(!decode_txn_request(txn));
  std::string shallow;
  for (int i = 0; i < 20; ++i) shallow = message({{2, message({{4, shallow}})}});
  CHECK(decode_txn_request(shallow));
}

TEST_CASE("a txn decodes with all its parts") {
  // compare mod(k) > 5, then put k2, delete a..b; else range k
  std::string compare = from_hex("08011002") + message({{3, "k"}}) + from_hex("3005");
  const std::string bytes = message({{1, compare},
                                     {2, message({{2, message({{1, "k2"}, {2, "v"}})}})},
                                     {2, message({{3, message({{1, "a"}, {2, "b"}})}})},
                                     {3, message({{1, message({{1, "k"}})}})}});
  const auto txn = decode_txn_request(bytes);
  REQUIRE(txn);
  REQUIRE(txn->compare.size() == 1);
  CHECK(txn->compare[0].target == mvcc::CompareTarget::kMod);
  CHECK(txn->compare[0].result == mvcc::CompareResult::kGreater);
  CHECK(txn->compare[0].number == 5);
  REQUIRE(txn->success.size() == 2);
  CHECK(std::get<mvcc::PutRequest>(txn->success[0].op).key == "k2");
  CHECK(std::get<mvcc::DeleteRangeRequest>(txn->success[1].op).range_end == "b");
  REQUIRE(txn->failure.size() == 1);
  CHECK(std::get<mvcc::RangeRequest>(txn->failure[0].op).key == "k");
}

TEST_CASE("a compare's union member counts only if it fits the target") {
  // target VALUE, but a version number in the union
  const std::string compare = from_hex("1003") + message({{3, "k"}}) + from_hex("2005");
  const auto txn = decode_txn_request(message({{1, compare}}));
  REQUIRE(txn);
  CHECK(txn->compare[0].number == 0);
  CHECK(txn->compare[0].value.empty());
}

TEST_CASE("a downgrade is told to all members, and its end by an empty message") {
  const auto begins = decode_log_request(message({{1302, from_hex("0801 1205") + "3.5.0"}}));
  REQUIRE(begins);
  CHECK(std::get<DowngradeInfoSet>(begins->op).info == schema::Downgrade{"3.5.0", true});
  const auto ends = decode_log_request(message({{1302, ""}}));
  REQUIRE(ends);
  CHECK(std::get<DowngradeInfoSet>(ends->op).info == schema::Downgrade{});
}

TEST_CASE("operations on users and roles are told apart from reads of them") {
  const auto enable = decode_log_request(message({{1000, ""}}));
  REQUIRE(enable);
  CHECK(std::get<Unsupported>(enable->op).field == 1000);
  CHECK(request_field_name(1000) == "auth_enable");
  const auto list = decode_log_request(message({{1106, ""}}));
  REQUIRE(list);
  CHECK(std::holds_alternative<NoChange>(list->op));
}

TEST_CASE("changed and cut bytes are decoded or refused, never misread out of bounds") {
  const std::string put = message({{1, "key"}, {2, "value"}});
  const std::string txn = message({{1, message({{3, "key"}, {7, "v"}})},
                                   {2, message({{2, put}})},
                                   {2, message({{4, message({{2, message({{3, put}})}})}})},
                                   {3, message({{1, put}})}});
  std::vector<std::string> seeds;
  for (const Op op : {Op::kPut, Op::kDeleteRange, Op::kTxn, Op::kCompaction, Op::kLeaseGrant,
                      Op::kAlarm, Op::kLeaseCheckpoint, Op::kMemberAttributesSet}) {
    seeds.emplace_back(encode_internal_request(op, op == Op::kTxn ? txn : put, 0x1234).view());
  }
  seeds.emplace_back(encode_legacy_put(77, "/0/members/1/attributes", "{}").view());
  SeededRandom random(5);
  std::size_t decoded = 0;
  for (int round = 0; round < 100'000; ++round) {
    std::string bytes = seeds[random.below(seeds.size())];
    for (std::uint64_t change = random.below(4); change > 0; --change) {
      bytes[random.below(bytes.size())] = static_cast<char>(random.next());
    }
    if (random.below(4) == 0) bytes.resize(random.below(bytes.size()));
    // A copy of exactly that size, so that the sanitizer sees a byte too far.
    const std::vector<char> exact(bytes.begin(), bytes.end());
    if (decode_log_request({exact.data(), exact.size()})) ++decoded;
  }
  CHECK(decoded > 1000);
}
