#pragma once

#include <optional>

#include "truss/common/field_reader.h"
#include "truss/mvcc/requests.h"

/// etcd's KV requests from their protobuf encoding, without Protobuf: what a client sent and what a
/// log entry holds. Views of a decoded request point into the bytes.
namespace truss::mvcc {

/// Each reads field by field onto what `out` holds already (protobuf's merge: the last of a
/// repeated singular field counts, nested messages merge, lists grow). Unknown fields are skipped.
/// Malformed bytes, a wrong wire type or nesting beyond FieldReader::kMaxDepth mark `outer` bad.
/// Source: api/etcdserverpb/rpc.proto and gogo's generated Unmarshal.
void read(RangeRequest& out, ByteView bytes, FieldReader& outer);
void read(PutRequest& out, ByteView bytes, FieldReader& outer);
void read(DeleteRangeRequest& out, ByteView bytes, FieldReader& outer);
void read(TxnRequest& out, ByteView bytes, FieldReader& outer);

/// A whole message of one of these types; nullopt if it is malformed.
template <class Request>
std::optional<Request> decode(ByteView bytes) {
  Request out;
  FieldReader root(ByteView{});
  read(out, bytes, root);
  if (!root.ok()) return std::nullopt;
  return out;
}

}  // namespace truss::mvcc
