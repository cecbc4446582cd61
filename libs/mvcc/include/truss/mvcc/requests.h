#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "truss/mvcc/kv.h"

/// The KV service's requests and answers as plain values, without Protobuf. Every ByteView of a
/// request belongs to the caller and must live until the call that takes it returns. Enumerators
/// have etcd's wire numbers; any other number may be cast in and acts as etcd's does.
namespace truss::mvcc {

enum class SortOrder : std::int32_t { kNone = 0, kAscend = 1, kDescend = 2 };
enum class SortTarget : std::int32_t { kKey = 0, kVersion = 1, kCreate = 2, kMod = 3, kValue = 4 };

/// `range_end`: empty = the one key; a single zero byte = all keys >= key; else [key, range_end).
struct RangeRequest {
  ByteView key{};
  ByteView range_end{};
  std::int64_t limit = 0;     ///< <= 0: none
  std::int64_t revision = 0;  ///< <= 0: latest
  SortOrder sort_order = SortOrder::kNone;
  SortTarget sort_target = SortTarget::kKey;
  bool serializable = false;  ///< for the caller: the store always answers at once
  bool keys_only = false;
  bool count_only = false;
  std::int64_t min_mod_revision = 0;  ///< 0: unset, all four
  std::int64_t max_mod_revision = 0;
  std::int64_t min_create_revision = 0;
  std::int64_t max_create_revision = 0;
};
struct RangeResult {
  std::int64_t revision = 0;  ///< for the header: current revision, not the one asked for
  std::vector<KeyValue> kvs;
  std::int64_t count = 0;  ///< keys in the range, whatever limit and filters
  bool more = false;
};

struct PutRequest {
  ByteView key{};
  ByteView value{};
  LeaseId lease = kNoLease;
  bool prev_kv = false;
  bool ignore_value = false;
  bool ignore_lease = false;
};
struct PutResult {
  std::int64_t revision = 0;
  std::optional<KeyValue> prev_kv;
};

struct DeleteRangeRequest {
  ByteView key{};
  ByteView range_end{};
  bool prev_kv = false;
};
struct DeleteRangeResult {
  std::int64_t revision = 0;
  std::int64_t deleted = 0;
  std::vector<KeyValue> prev_kvs;
};

enum class CompareResult : std::int32_t { kEqual = 0, kGreater = 1, kLess = 2, kNotEqual = 3 };
enum class CompareTarget : std::int32_t {
  kVersion = 0,
  kCreate = 1,
  kMod = 2,
  kValue = 3,
  kLease = 4
};
/// Fill `number` or `value` only if the request's union member matches `target`.
struct Compare {
  CompareResult result = CompareResult::kEqual;
  CompareTarget target = CompareTarget::kVersion;
  ByteView key{};
  ByteView range_end{};
  std::int64_t number = 0;  ///< for every target but kValue
  ByteView value{};         ///< for kValue
};

struct RequestOp;
struct TxnRequest {
  std::vector<Compare> compare;
  std::vector<RequestOp> success;
  std::vector<RequestOp> failure;
};
/// monostate: the request's union was empty (refused with `key not found`).
struct RequestOp {
  std::variant<std::monostate, RangeRequest, PutRequest, DeleteRangeRequest, TxnRequest> op;
};

struct ResponseOp;
struct TxnResult {
  std::int64_t revision = 0;  ///< 0 in a nested one, as etcd answers
  bool succeeded = false;
  std::vector<ResponseOp> responses;
};
struct ResponseOp {
  std::variant<RangeResult, PutResult, DeleteRangeResult, TxnResult> op;
};

}  // namespace truss::mvcc
