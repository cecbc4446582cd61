#include "truss/mvcc/txn.h"

#include <algorithm>
#include <functional>

/// Execution of put, delete and txn as etcd's apply does it.
namespace truss::mvcc {
namespace {

/// Reads for compares and checks: a ReadTxn or a WriteTxn.
using RangeFn = std::function<Result<RangeResult>(const RangeRequest&)>;

template <class T>
int order(const T& a, const T& b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

/// How the target of `kv` stands to the compare's operand: -1, 0, 1.
int compare_to(const Compare& compare, const schema::KeyValueView& kv) {
  switch (compare.target) {
    case CompareTarget::kVersion:
      return order(kv.version, compare.number);
    case CompareTarget::kCreate:
      return order(kv.create_revision, compare.number);
    case CompareTarget::kMod:
      return order(kv.mod_revision, compare.number);
    case CompareTarget::kLease:
      return order(kv.lease, compare.number);
    case CompareTarget::kValue:
      return order(kv.value, compare.value);
  }
  return 0;  // an unknown target counts as equal
}

bool holds_for(const Compare& compare, const schema::KeyValueView& kv) {
  const int result = compare_to(compare, kv);
  switch (compare.result) {
    case CompareResult::kEqual:
      return result == 0;
    case CompareResult::kNotEqual:
      return result != 0;
    case CompareResult::kGreater:
      return result > 0;
    case CompareResult::kLess:
      return result < 0;
  }
  return true;  // an unknown result holds
}

Result<bool> holds(const Compare& compare, const RangeFn& range) {
  TRUSS_ASSIGN(const RangeResult found,
               range({.key = compare.key, .range_end = compare.range_end}));
  if (found.kvs.empty()) {
    // An absent key has no value to compare; its numbers count as zero.
    if (compare.target == CompareTarget::kValue) return false;
    return holds_for(compare, {});
  }
  return std::all_of(found.kvs.begin(), found.kvs.end(),
                     [&](const KeyValue& kv) { return holds_for(compare, kv.kv); });
}

/// Which branch each txn of the tree takes, in the order execution meets them.
using Path = std::vector<bool>;

const std::vector<RequestOp>& branch_of(const TxnRequest& request, bool succeeded) {
  return succeeded ? request.success : request.failure;
}

Result<> choose_path(const TxnRequest& request, const RangeFn& range, Path& path) {
  bool succeeded = true;
  for (const Compare& compare : request.compare) {
    TRUSS_ASSIGN(succeeded, holds(compare, range));
    if (!succeeded) break;
  }
  path.push_back(succeeded);
  for (const RequestOp& op : branch_of(request, succeeded))
    if (const auto* nested = std::get_if<TxnRequest>(&op.op))
      TRUSS_TRY(choose_path(*nested, range, path));
  return {};
}

/// Calls visit(op) for each plain op on the path.
template <class Visit>
Result<> walk_path(const TxnRequest& request, const Path& path, std::size_t& at, Visit&& visit) {
  for (const RequestOp& op : branch_of(request, path[at++])) {
    if (const auto* nested = std::get_if<TxnRequest>(&op.op))
      TRUSS_TRY(walk_path(*nested, path, at, visit));
    else
      TRUSS_TRY(visit(op));
  }
  return {};
}

Result<> check_put_now(const Store& store, const WriteTxn& txn, const PutRequest& put) {
  if ((put.ignore_value || put.ignore_lease) && !txn.contains(put.key))
    return tl::unexpected(errors::key_not_found());
  const LeaseLinks* links = store.lease_links();
  if (put.lease != kNoLease && links && !links->contains(put.lease))
    return tl::unexpected(errors::lease_not_found());
  return {};
}

Result<> check_revision(const RangeRequest& range, std::int64_t now, std::int64_t compacted) {
  if (range.revision == 0) return {};
  if (range.revision > now) return tl::unexpected(errors::future_revision());
  if (range.revision < compacted) return tl::unexpected(errors::compacted());
  return {};
}

Result<> check_path(const Store& store, const WriteTxn& txn, const TxnRequest& request,
                    const Path& path) {
  std::size_t at = 0;
  const auto check_op_put = [&](const RequestOp& op) -> Result<> {
    const auto* put = std::get_if<PutRequest>(&op.op);
    return put ? check_put_now(store, txn, *put) : Result<>();
  };
  TRUSS_TRY(walk_path(request, path, at, check_op_put));
  at = 0;
  return walk_path(request, path, at, [&](const RequestOp& op) -> Result<> {
    const auto* range = std::get_if<RangeRequest>(&op.op);
    return range ? check_revision(*range, txn.begin_revision(), txn.compact_revision())
                 : Result<>();
  });
}

Result<PutResult> put_in(WriteTxn& txn, const PutRequest& request) {
  PutResult result;
  PutRequest put = request;
  std::optional<KeyValue> previous;
  if (put.prev_kv || put.ignore_value || put.ignore_lease) {
    TRUSS_ASSIGN(RangeResult found, txn.range({.key = put.key}));
    if (!found.kvs.empty()) previous = std::move(found.kvs.front());
    if (!previous && (put.ignore_value || put.ignore_lease))
      return tl::unexpected(errors::key_not_found());
  }
  if (put.ignore_value) put.value = previous->kv.value;
  if (put.ignore_lease) put.lease = LeaseId{previous->kv.lease};
  txn.put(put.key, put.value, put.lease);
  result.revision = txn.revision();
  if (put.prev_kv) result.prev_kv = std::move(previous);
  return result;
}

Result<DeleteRangeResult> delete_in(WriteTxn& txn, const DeleteRangeRequest& request) {
  DeleteRangeResult result;
  if (request.prev_kv) {
    TRUSS_ASSIGN(RangeResult found,
                 txn.range({.key = request.key, .range_end = request.range_end}));
    result.prev_kvs = std::move(found.kvs);
  }
  result.deleted = txn.delete_range(request.key, request.range_end);
  result.revision = txn.revision();
  return result;
}

Result<TxnResult> execute(WriteTxn& txn, const TxnRequest& request, const Path& path,
                          std::size_t& at);

Result<ResponseOp> execute_op(WriteTxn& txn, const RequestOp& op, const Path& path,
                              std::size_t& at) {
  ResponseOp out;
  if (const auto* range = std::get_if<RangeRequest>(&op.op)) {
    TRUSS_ASSIGN(out.op, txn.range(*range));
  } else if (const auto* put = std::get_if<PutRequest>(&op.op)) {
    TRUSS_ASSIGN(out.op, put_in(txn, *put));
  } else if (const auto* del = std::get_if<DeleteRangeRequest>(&op.op)) {
    TRUSS_ASSIGN(out.op, delete_in(txn, *del));
  } else if (const auto* nested = std::get_if<TxnRequest>(&op.op)) {
    TRUSS_ASSIGN(out.op, execute(txn, *nested, path, at));
  } else {
    return tl::unexpected(errors::key_not_found());
  }
  return out;
}

Result<TxnResult> execute(WriteTxn& txn, const TxnRequest& request, const Path& path,
                          std::size_t& at) {
  TxnResult result;
  result.succeeded = path[at++];
  const auto& branch = branch_of(request, result.succeeded);
  result.responses.reserve(branch.size());
  for (const RequestOp& op : branch) {
    TRUSS_ASSIGN(ResponseOp response, execute_op(txn, op, path, at));
    result.responses.push_back(std::move(response));
  }
  return result;
}

}  // namespace

Result<PutResult> apply_put(Store& store, const PutRequest& request) {
  const LeaseLinks* links = store.lease_links();
  if (request.lease != kNoLease && links && !links->contains(request.lease))
    return tl::unexpected(errors::lease_not_found());
  WriteTxn txn = store.write();
  return put_in(txn, request);
}

Result<DeleteRangeResult> apply_delete_range(Store& store, const DeleteRangeRequest& request) {
  WriteTxn txn = store.write();
  return delete_in(txn, request);
}

Result<TxnResult> apply_txn(Store& store, const TxnRequest& request) {
  WriteTxn txn = store.write();
  Path path;
  TRUSS_TRY(choose_path(
      request, [&](const RangeRequest& r) { return txn.range(r); }, path));
  TRUSS_TRY(check_path(store, txn, request, path));
  std::size_t at = 0;
  TRUSS_ASSIGN(TxnResult result, execute(txn, request, path, at));
  result.revision = txn.revision();
  txn.end();
  return result;
}

Result<TxnResult> read_txn(Store& store, const TxnRequest& request) {
  ReadTxn txn = store.read();
  Path path;
  TRUSS_TRY(choose_path(
      request, [&](const RangeRequest& r) { return txn.range(r); }, path));
  TxnResult result;
  result.revision = txn.revision();
  result.succeeded = path.front();
  for (const RequestOp& op : branch_of(request, result.succeeded)) {
    const auto* range = std::get_if<RangeRequest>(&op.op);
    if (!range) return fail(Code::kInvalidArgument, "read_txn: the txn has an op that is no range");
    TRUSS_ASSIGN(RangeResult found, txn.range(*range));
    result.responses.emplace_back().op = std::move(found);
  }
  return result;
}

}  // namespace truss::mvcc
