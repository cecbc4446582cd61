#include "fixture.h"
#include "truss/lease/lessor.h"

using namespace truss;
using namespace truss::mvcc;
using Strings = std::vector<std::string>;

namespace {

Compare version_is(ByteView key, std::int64_t version) {
  return {.target = CompareTarget::kVersion, .key = key, .number = version};
}
Compare value_is(ByteView key, ByteView value, CompareResult result = CompareResult::kEqual) {
  return {.result = result, .target = CompareTarget::kValue, .key = key, .value = value};
}
RequestOp put(ByteView key, ByteView value) { return {PutRequest{.key = key, .value = value}}; }

bool succeeds(Fixture& f, std::vector<Compare> compares) {
  const auto result = apply_txn(*f.store, {std::move(compares), {}, {}});
  REQUIRE(result);
  CHECK(read_txn(*f.store, {{}, {}, {}}));
  return result->succeeded;
}

}  // namespace

TEST_CASE("puts and deletes answer with their revision and what was there") {
  Fixture f;
  auto put1 = apply_put(*f.store, {.key = "k", .value = "1", .prev_kv = true});
  CHECK(put1->revision == 2);
  CHECK_FALSE(put1->prev_kv);
  auto put2 = apply_put(*f.store, {.key = "k", .value = "2", .prev_kv = true});
  CHECK(put2->prev_kv.value()->value == "1");
  auto del = apply_delete_range(*f.store, {.key = "k", .prev_kv = true});
  CHECK(del->deleted == 1);
  CHECK(del->revision == 4);
  CHECK(del->prev_kvs.at(0)->value == "2");
  del = apply_delete_range(*f.store, {.key = "k", .prev_kv = true});
  CHECK(del->deleted == 0);
  CHECK(del->revision == 4);
}

TEST_CASE("ignore_value and ignore_lease keep what the key has, and need the key") {
  Fixture f;
  lease::Lessor lessor(*f.backend, f.world.clock(), {});
  f.store->set_lease_links(&lessor);
  REQUIRE(lessor.grant(LeaseId{7}, 60));
  CHECK(errors::is(apply_put(*f.store, {.key = "k", .ignore_value = true}).error(),
                   errors::key_not_found()));
  CHECK(errors::is(apply_put(*f.store, {.key = "k", .lease = LeaseId{9}}).error(),
                   errors::lease_not_found()));
  CHECK(f.store->current_revision() == 1);
  f.put("k", "v", LeaseId{7});
  REQUIRE(apply_put(*f.store, {.key = "k", .value = "w", .ignore_lease = true}));
  CHECK(f.get({.key = "k"}).kvs[0]->lease == 7);
  REQUIRE(apply_put(*f.store, {.key = "k", .ignore_value = true}));
  const RangeResult r = f.get({.key = "k"});
  CHECK(r.kvs[0]->value == "w");
  CHECK(r.kvs[0]->lease == 0);
  CHECK(lessor.lease_of("k") == kNoLease);
  f.store->set_lease_links(nullptr);
}

TEST_CASE("compares") {
  Fixture f;
  f.put("a", "1");
  f.put("a", "2");
  f.put("b", "2");
  CHECK(succeeds(f, {}));
  CHECK(succeeds(f, {version_is("a", 2), value_is("a", "2")}));
  CHECK_FALSE(succeeds(f, {version_is("a", 2), version_is("b", 2)}));
  CHECK(succeeds(f, {{.target = CompareTarget::kCreate, .key = "a", .number = 2}}));
  CHECK(succeeds(f, {{.result = CompareResult::kGreater,
                      .target = CompareTarget::kMod,
                      .key = "a",
                      .number = 2}}));
  CHECK(succeeds(f, {{.target = CompareTarget::kLease, .key = "a"}}));
  CHECK(succeeds(f, {value_is("a", "1", CompareResult::kGreater)}));
  CHECK(succeeds(f, {value_is("a", "3", CompareResult::kLess)}));
  // An absent key: numbers are 0, a value compare never holds.
  CHECK(succeeds(f, {version_is("none", 0)}));
  CHECK_FALSE(succeeds(f, {value_is("none", "")}));
  CHECK_FALSE(succeeds(f, {value_is("none", "x", CompareResult::kNotEqual)}));
  // Ranges: every key must satisfy.
  CHECK(
      succeeds(f, {{.target = CompareTarget::kValue, .key = "a", .range_end = "c", .value = "2"}}));
  CHECK_FALSE(succeeds(f, {{.key = "a", .range_end = "c", .number = 2}}));
  CHECK(succeeds(f, {{.key = "x", .range_end = "z", .number = 0}}));
  // Unknown enums.
  CHECK(succeeds(f, {{.target = static_cast<CompareTarget>(9), .key = "a"}}));
  CHECK(succeeds(f, {{.result = static_cast<CompareResult>(9), .key = "a", .number = 77}}));
  CHECK(f.store->current_revision() == 4);
}

TEST_CASE("all compares of all levels see the state before") {
  Fixture f;
  const TxnRequest nested{{version_is("k", 0)}, {put("seen", "empty")}, {put("seen", "written")}};
  const auto result = apply_txn(*f.store, {{}, {put("k", "v"), {nested}}, {}});
  REQUIRE(result);
  CHECK(f.pairs({.key = "seen"}) == Strings{"seen=empty"});
  CHECK(result->revision == 2);
  const auto& inner = std::get<TxnResult>(result->responses.at(1).op);
  CHECK(inner.succeeded);
  CHECK(inner.revision == 0);
  CHECK(std::get<PutResult>(inner.responses.at(0).op).revision == 2);
}

TEST_CASE("ranges inside see earlier writes; deletes count in key order") {
  Fixture f;
  f.put("a", "0");
  const auto result = apply_txn(*f.store, {{},
                                           {put("b", "1"),
                                            {RangeRequest{.key = "a", .range_end = "z"}},
                                            {DeleteRangeRequest{.key = "a", .prev_kv = true}},
                                            {RangeRequest{.key = "a", .range_end = "z"}},
                                            {RangeRequest{.key = "a", .revision = 2}}},
                                           {}});
  REQUIRE(result);
  CHECK(std::get<RangeResult>(result->responses[1].op).count == 2);
  CHECK(std::get<RangeResult>(result->responses[1].op).revision == 3);
  CHECK(std::get<DeleteRangeResult>(result->responses[2].op).deleted == 1);
  CHECK(std::get<RangeResult>(result->responses[3].op).count == 1);
  CHECK(std::get<RangeResult>(result->responses[4].op).count == 1);
  CHECK(f.revisions() == Strings{"2/0", "3/0", "3/1 t"});
}

TEST_CASE("a txn that can't be done changes nothing") {
  Fixture f;
  f.put("a", "0");
  f.put("a", "1");
  f.put("a", "2");
  f.compact(3);
  const auto error = [&](std::vector<RequestOp> ops) {
    const auto result = apply_txn(*f.store, {{}, std::move(ops), {}});
    REQUIRE_FALSE(result);
    return result.error();
  };
  CHECK(errors::is(error({put("x", "1"), {RangeRequest{.key = "a", .revision = 5}}}),
                   errors::future_revision()));
  CHECK(errors::is(error({put("x", "1"), {RangeRequest{.key = "a", .revision = 2}}}),
                   errors::compacted()));
  CHECK(errors::is(error({put("x", "1"), {PutRequest{.key = "y", .ignore_value = true}}}),
                   errors::key_not_found()));
  CHECK(f.store->current_revision() == 4);
  CHECK(f.get({.key = "x"}).count == 0);
  // The branch not taken isn't checked.
  CHECK(apply_txn(*f.store, {{}, {put("x", "1")}, {{RangeRequest{.key = "a", .revision = 99}}}}));
}

TEST_CASE("a txn without effect doesn't advance the revision") {
  Fixture f;
  f.put("a", "0");
  const auto result = apply_txn(*f.store, {{}, {{DeleteRangeRequest{.key = "none"}}}, {}});
  CHECK(result->revision == 2);
  CHECK(f.store->current_revision() == 2);
}

TEST_CASE("a read-only txn answers at one revision") {
  Fixture f;
  f.put("a", "0");
  f.put("b", "0");
  const auto result = read_txn(
      *f.store,
      {{version_is("a", 5)}, {}, {{RangeRequest{.key = "a"}}, {RangeRequest{.key = "b"}}}});
  REQUIRE(result);
  CHECK_FALSE(result->succeeded);
  CHECK(result->revision == 3);
  CHECK(std::get<RangeResult>(result->responses[1].op).kvs[0]->key == "b");
  CHECK(
      errors::is(read_txn(*f.store, {{}, {{RangeRequest{.key = "a", .revision = 9}}}, {}}).error(),
                 errors::future_revision()));
}
