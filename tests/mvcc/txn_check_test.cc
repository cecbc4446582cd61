#include <doctest/doctest.h>

#include "truss/mvcc/txn.h"

using namespace truss;
using namespace truss::mvcc;

namespace {

RequestOp put(ByteView key) { return {PutRequest{.key = key}}; }
RequestOp del(ByteView key, ByteView end = {}) {
  return {DeleteRangeRequest{.key = key, .range_end = end}};
}
RequestOp get(ByteView key) { return {RangeRequest{.key = key}}; }
RequestOp txn(std::vector<RequestOp> success, std::vector<RequestOp> failure = {}) {
  return {TxnRequest{{}, std::move(success), std::move(failure)}};
}
/// The error's text, "" if there is none.
std::string check(std::vector<RequestOp> success, std::vector<RequestOp> failure = {},
                  std::uint64_t max_ops = 128) {
  const auto result = check_txn({{}, std::move(success), std::move(failure)}, max_ops, false);
  return result ? "" : result.error().message;
}

constexpr char kDuplicate[] = "etcdserver: duplicate key given in txn request";
constexpr char kTooMany[] = "etcdserver: too many operations in txn request";

}  // namespace

TEST_CASE("single requests") {
  CHECK(check_range({}, false).error().message == "etcdserver: key is not provided");
  CHECK(check_put({}).error().message == "etcdserver: key is not provided");
  CHECK(check_delete_range({}).error().message == "etcdserver: key is not provided");
  CHECK(check_put({.key = "k", .value = "v", .ignore_value = true}).error().message ==
        "etcdserver: value is provided");
  CHECK(check_put({.key = "k", .lease = LeaseId{1}, .ignore_lease = true}).error().message ==
        "etcdserver: lease is provided");
  CHECK(check_put({.key = "k", .ignore_value = true, .ignore_lease = true}));
  const RangeRequest odd{.key = "k", .sort_target = static_cast<SortTarget>(5)};
  CHECK(check_range(odd, false));
  CHECK(check_range(odd, true).error().message == "etcdserver: invalid sort option");
}

TEST_CASE("operations are counted level by level") {
  CHECK(check({put("a"), put("b")}, {}, 2).empty());
  CHECK(check({put("a"), put("b"), put("c")}, {}, 2) == kTooMany);
  CHECK(check({}, {put("a"), put("b"), put("c")}, 2) == kTooMany);
  // A nested txn may use what its parent left: here 3 - 1.
  CHECK(check({txn({put("a"), put("b")})}, {}, 3).empty());
  CHECK(check({txn({put("a"), put("b"), put("c")})}, {}, 3) == kTooMany);
  TxnRequest compares;
  compares.compare.resize(3, Compare{.key = "k"});
  CHECK(check_txn(compares, 2, false).error().message == kTooMany);
}

TEST_CASE("every op of the tree is checked, an empty one is `key not found`") {
  CHECK(check({}, {txn({}, {put("")})}) == "etcdserver: key is not provided");
  CHECK(check({RequestOp{}}) == "etcdserver: key not found");
  CHECK(check_txn({{Compare{}}, {}, {}}, 128, false).error().message ==
        "etcdserver: key is not provided");
}

TEST_CASE("duplicate keys, as etcd judges them") {
  CHECK(check({put("a"), put("a")}) == kDuplicate);
  CHECK(check({put("a")}, {put("a")}).empty());
  CHECK(check({put("a"), del("a")}) == kDuplicate);
  CHECK(check({del("a", "c"), put("b")}) == kDuplicate);
  CHECK(check({del("a", "c"), put("c")}).empty());
  // Seen on 3.4.23: a delete "from key on" counts as an empty range.
  CHECK(check({del("a", ByteView("\0", 1)), put("zzz")}).empty());
  CHECK(check({del("b", ByteView("\0", 1)), put("b")}).empty());
  CHECK(check({del("b", "a"), put("b")}).empty());
  CHECK(check({txn({del("b", ByteView("\0", 1))}), put("c")}).empty());
  CHECK(check({del("a"), del("a"), get("a")}).empty());
  CHECK(check({txn({put("a")}, {put("a")})}).empty());
  CHECK(check({txn({put("a")}), put("a")}) == kDuplicate);
  CHECK(check({txn({put("a")}), txn({put("a")})}) == kDuplicate);
  CHECK(check({txn({}, {del("a")}), put("a")}) == kDuplicate);
  CHECK(check({txn({del("a")}), txn({}, {put("a")})}) == kDuplicate);
  CHECK(check({txn({put("a")}), txn({del("a")})}).empty());
  CHECK(check({del("a"), txn({put("a")})}) == kDuplicate);
}

TEST_CASE("what is read-only, serializable, or costs quota") {
  CHECK(is_read_only({}));
  CHECK(is_serializable({}));
  CHECK(is_read_only({{}, {get("a")}, {get("b")}}));
  CHECK_FALSE(is_serializable({{}, {get("a")}, {}}));
  CHECK(is_serializable({{}, {{RangeRequest{.key = "a", .serializable = true}}}, {}}));
  CHECK_FALSE(is_read_only({{}, {txn({get("a")})}, {}}));
  CHECK(put_cost({.key = "abc", .value = "de"}) == 261);
  const TxnRequest nested{{}, {put("abc"), txn({put("abc")})}, {put("a")}};
  CHECK(txn_cost(nested, false) == 259);
  CHECK(txn_cost(nested, true) == 518);
  CHECK(has_put(nested));
  CHECK_FALSE(has_put({{}, {txn({put("a")})}, {del("a")}}));
}
