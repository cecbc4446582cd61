#include "kv_model.h"

#include <doctest/doctest.h>

using namespace truss::testing;

namespace {

KvModel after(const std::vector<KvOp>& ops) {
  KvModel model;
  for (const KvOp& op : ops) model.apply(op);
  return model;
}

}  // namespace

TEST_CASE("the model counts revisions as etcd does") {
  KvModel model;
  CHECK(model.apply(PutOp{"a", "1"}) == 2);
  CHECK(model.apply(PutOp{"a", "2"}) == 3);
  CHECK(model.keys().at("a") == ModelKey{"2", 2, 3, 2, 0});
  CHECK(model.apply(DeleteOp{"x", {}}) == 3);
  CHECK(model.apply(GrantOp{7}) == 3);
  CHECK(model.apply(PutOp{"b", "1", 7}) == 4);
  CHECK(model.apply(PutOp{"c", "1", 8}) == 4);  // no such lease
  CHECK(model.apply(TxnOp{"a", "d", "v"}) == 5);
  CHECK(model.apply(TxnOp{"no", "d", "v"}) == 6);  // deletes d
  CHECK(model.apply(RevokeOp{7}) == 7);
  CHECK(model.apply(RevokeOp{7}) == 7);
  CHECK(model.keys().size() == 1);
  CHECK(model.apply(DeleteOp{"a", "b"}) == 8);
  CHECK(model.keys().empty());
}

TEST_CASE("a history explains what was acknowledged, with or without what was not") {
  History history;
  const auto a = history.begin(PutOp{"a", "1"});
  history.acknowledge(a, 2);
  const auto b = history.begin(PutOp{"b", "2"});
  CHECK(history.explain(after({PutOp{"a", "1"}})).empty());
  CHECK(history.explain(after({PutOp{"a", "1"}, PutOp{"b", "2"}})).empty());
  CHECK_FALSE(history.explain(after({})).empty());
  CHECK_FALSE(history.explain(after({PutOp{"b", "2"}})).empty());
  CHECK_FALSE(history.explain(after({PutOp{"a", "1"}, PutOp{"c", "3"}})).empty());
  CHECK_FALSE(history.explain(after({PutOp{"a", "1"}, PutOp{"a", "1"}})).empty());
  history.acknowledge(b, 3);
  CHECK_FALSE(history.explain(after({PutOp{"a", "1"}})).empty());
}

TEST_CASE("an acknowledged revision tells that an open operation came before") {
  History history;
  history.begin(PutOp{"a", "1"});
  const auto b = history.begin(PutOp{"b", "2"});
  history.begin(PutOp{"c", "3"});
  history.acknowledge(b, 3);
  CHECK(history.settled().revision() == 1);
  CHECK_FALSE(history.explain(after({PutOp{"b", "2"}})).empty());
  CHECK(history.explain(after({PutOp{"a", "1"}, PutOp{"b", "2"}})).empty());
  CHECK(history.explain(after({PutOp{"c", "3"}, PutOp{"b", "2"}})).empty());
  CHECK(history.explain(after({PutOp{"c", "3"}, PutOp{"b", "2"}, PutOp{"a", "1"}})).empty());
}

TEST_CASE("a refused operation explains nothing") {
  History history;
  const auto a = history.begin(PutOp{"a", "1"});
  history.refuse(a);
  CHECK(history.explain(after({})).empty());
  CHECK_FALSE(history.explain(after({PutOp{"a", "1"}})).empty());
}
