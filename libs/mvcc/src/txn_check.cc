#include <algorithm>
#include <set>
#include <vector>

#include "key_index.h"
#include "truss/mvcc/txn.h"

/// What can be said of a request without looking at the store.
namespace truss::mvcc {
namespace {

Unexpected refuse(Error error) { return tl::unexpected(std::move(error)); }

template <class Enum>
bool in_enum(Enum value, Enum last) {
  const auto number = static_cast<std::int32_t>(value);
  return number >= 0 && number <= static_cast<std::int32_t>(last);
}

std::uint64_t op_count(const TxnRequest& request) {
  return std::max({request.compare.size(), request.success.size(), request.failure.size()});
}

Result<> check_op(const RequestOp& op, bool strict_sort) {
  if (const auto* range = std::get_if<RangeRequest>(&op.op))
    return check_range(*range, strict_sort);
  if (const auto* put = std::get_if<PutRequest>(&op.op)) return check_put(*put);
  if (const auto* del = std::get_if<DeleteRangeRequest>(&op.op)) return check_delete_range(*del);
  return refuse(errors::key_not_found());
}

/// Counts and ops of the whole tree; a nested txn may use what its parent left of the limit.
Result<> check_tree(const TxnRequest& request, std::uint64_t max_ops, bool strict_sort) {
  const std::uint64_t count = op_count(request);
  if (count > max_ops) return refuse(errors::too_many_ops());
  for (const Compare& compare : request.compare)
    if (compare.key.empty()) return refuse(errors::empty_key());
  for (const auto* branch : {&request.success, &request.failure}) {
    for (const RequestOp& op : *branch) {
      if (const auto* nested = std::get_if<TxnRequest>(&op.op))
        TRUSS_TRY(check_tree(*nested, max_ops - count, strict_sort));
      else
        TRUSS_TRY(check_op(op, strict_sort));
    }
  }
  return {};
}

/// Keys put and ranges deleted by one branch, nested ones included.
struct Touched {
  std::set<ByteView> puts;
  std::vector<KeyRange> deletes;

  // As in etcd, "\0" is no open end here but an end before every key: such a delete covers nothing.
  bool deleted(ByteView key) const {
    return std::any_of(deletes.begin(), deletes.end(), [&](const KeyRange& range) {
      return range.single() ? key == range.key : key >= range.key && key < range.end;
    });
  }
  bool deletes_a_put(const Touched& other) const {
    return std::any_of(other.puts.begin(), other.puts.end(),
                       [&](ByteView key) { return deleted(key); });
  }
};

Result<Touched> touched_by(const std::vector<RequestOp>& branch);

/// Both branches of a nested txn: either may run, so a put in both is fine, but all that either
/// touches counts against the rest.
Result<Touched> touched_by(const TxnRequest& request) {
  TRUSS_ASSIGN(Touched out, touched_by(request.success));
  TRUSS_ASSIGN(const Touched failure, touched_by(request.failure));
  out.puts.insert(failure.puts.begin(), failure.puts.end());
  out.deletes.insert(out.deletes.end(), failure.deletes.begin(), failure.deletes.end());
  return out;
}

Result<> merge_nested(Touched& into, const Touched& nested) {
  for (const ByteView key : nested.puts)
    if (into.puts.contains(key)) return refuse(errors::duplicate_key());
  // As in etcd, a nested delete of what an earlier nested txn put is let through.
  if (into.deletes_a_put(nested)) return refuse(errors::duplicate_key());
  into.puts.insert(nested.puts.begin(), nested.puts.end());
  into.deletes.insert(into.deletes.end(), nested.deletes.begin(), nested.deletes.end());
  return {};
}

Result<Touched> touched_by(const std::vector<RequestOp>& branch) {
  Touched out;
  for (const RequestOp& op : branch)
    if (const auto* del = std::get_if<DeleteRangeRequest>(&op.op))
      out.deletes.push_back({del->key, del->range_end});
  for (const RequestOp& op : branch) {
    if (const auto* nested = std::get_if<TxnRequest>(&op.op)) {
      TRUSS_ASSIGN(const Touched inner, touched_by(*nested));
      TRUSS_TRY(merge_nested(out, inner));
    }
  }
  for (const RequestOp& op : branch) {
    const auto* put = std::get_if<PutRequest>(&op.op);
    if (!put) continue;
    if (out.deleted(put->key) || !out.puts.insert(put->key).second)
      return refuse(errors::duplicate_key());
  }
  return out;
}

}  // namespace

Result<> check_range(const RangeRequest& request, bool strict_sort) {
  if (request.key.empty()) return refuse(errors::empty_key());
  const bool known = in_enum(request.sort_order, SortOrder::kDescend) &&
                     in_enum(request.sort_target, SortTarget::kValue);
  if (strict_sort && !known) return refuse(errors::invalid_sort_option());
  return {};
}

Result<> check_put(const PutRequest& request) {
  if (request.key.empty()) return refuse(errors::empty_key());
  if (request.ignore_value && !request.value.empty()) return refuse(errors::value_provided());
  if (request.ignore_lease && request.lease != kNoLease) return refuse(errors::lease_provided());
  return {};
}

Result<> check_delete_range(const DeleteRangeRequest& request) {
  if (request.key.empty()) return refuse(errors::empty_key());
  return {};
}

Result<> check_txn(const TxnRequest& request, std::uint64_t max_ops, bool strict_sort) {
  TRUSS_TRY(check_tree(request, max_ops, strict_sort));
  TRUSS_TRY(touched_by(request.success));
  TRUSS_TRY(touched_by(request.failure));
  return {};
}

bool is_read_only(const TxnRequest& request) {
  const auto is_range = [](const RequestOp& op) {
    return std::holds_alternative<RangeRequest>(op.op);
  };
  return std::all_of(request.success.begin(), request.success.end(), is_range) &&
         std::all_of(request.failure.begin(), request.failure.end(), is_range);
}

bool is_serializable(const TxnRequest& request) {
  const auto serializable = [](const RequestOp& op) {
    const auto* range = std::get_if<RangeRequest>(&op.op);
    return range && range->serializable;
  };
  return std::all_of(request.success.begin(), request.success.end(), serializable) &&
         std::all_of(request.failure.begin(), request.failure.end(), serializable);
}

std::int64_t put_cost(const PutRequest& request) {
  return 256 + static_cast<std::int64_t>(request.key.size() + request.value.size());
}

namespace {

std::int64_t branch_cost(const std::vector<RequestOp>& branch, bool nested) {
  std::int64_t cost = 0;
  for (const RequestOp& op : branch) {
    if (const auto* put = std::get_if<PutRequest>(&op.op)) cost += put_cost(*put);
    if (const auto* txn = std::get_if<TxnRequest>(&op.op); txn && nested)
      cost += txn_cost(*txn, nested);
  }
  return cost;
}

bool branch_has_put(const std::vector<RequestOp>& branch) {
  return std::any_of(branch.begin(), branch.end(),
                     [](const RequestOp& op) { return std::holds_alternative<PutRequest>(op.op); });
}

}  // namespace

std::int64_t txn_cost(const TxnRequest& request, bool nested) {
  return std::max(branch_cost(request.success, nested), branch_cost(request.failure, nested));
}

bool has_put(const TxnRequest& request) {
  return branch_has_put(request.success) || branch_has_put(request.failure);
}

}  // namespace truss::mvcc
