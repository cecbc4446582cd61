#pragma once

#include <cstdint>

#include "truss/common/error.h"
#include "truss/mvcc/requests.h"
#include "truss/mvcc/store.h"

/// What etcd's API layer checks before it proposes, and what its apply does with each request.
namespace truss::mvcc {

// --- Checks on a request alone. Thread: any. Errors: InvalidArgument with etcd's text.

/// `strict_sort`: refuse unknown sort enums (3.6 and later).
Result<> check_range(const RangeRequest& request, bool strict_sort);
Result<> check_put(const PutRequest& request);
Result<> check_delete_range(const DeleteRangeRequest& request);
/// Counts, every op of the whole tree, then duplicate keys of success and of failure.
Result<> check_txn(const TxnRequest& request, std::uint64_t max_ops, bool strict_sort);

/// True if every op of both branches is a range (no nested txn): such a txn is not proposed.
bool is_read_only(const TxnRequest& request);
/// True if, besides, every range is serializable (vacuously so for an empty txn).
bool is_serializable(const TxnRequest& request);

// --- Quota. etcd's estimate of the bytes an op may add.
std::int64_t put_cost(const PutRequest& request);
/// `nested`: count puts of nested txns (3.7).
std::int64_t txn_cost(const TxnRequest& request, bool nested);
inline constexpr std::int64_t kLeaseGrantCost = 64;
/// True if the txn has a put in either branch (refused under a NOSPACE alarm).
bool has_put(const TxnRequest& request);

// --- Execution. Thread: apply (read_txn: any).

/// Errors: lease_not_found, key_not_found (ignore_value or ignore_lease of an absent key),
/// kCorruption.
Result<PutResult> apply_put(Store& store, const PutRequest& request);
Result<DeleteRangeResult> apply_delete_range(Store& store, const DeleteRangeRequest& request);
/// Evaluates all compares of all nesting levels against the state before, checks the chosen path,
/// then executes it in one revision. Errors (nothing is changed): lease_not_found, key_not_found,
/// compacted, future_revision, kCorruption.
Result<TxnResult> apply_txn(Store& store, const TxnRequest& request);
/// A read-only txn at one revision.
Result<TxnResult> read_txn(Store& store, const TxnRequest& request);

}  // namespace truss::mvcc
