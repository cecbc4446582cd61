#include "log_request.h"

#include "truss/mvcc/request_codec.h"

namespace truss::server {
namespace {

constexpr std::uint32_t kFirstAuthField = 1000;

void read(CompactionRequest& out, ByteView bytes, FieldReader& outer) {
  FieldReader in(bytes, outer);
  while (in.next()) {
    if (in.field() == 1) out.revision = in.int64();
    if (in.field() == 2) out.physical = in.flag();
  }
}

void read(LeaseGrantRequest& out, ByteView bytes, FieldReader& outer) {
  FieldReader in(bytes, outer);
  while (in.next()) {
    if (in.field() == 1) out.ttl_seconds = in.int64();
    if (in.field() == 2) out.id = in.int64();
  }
}

void read(LeaseRevokeRequest& out, ByteView bytes, FieldReader& outer) {
  FieldReader in(bytes, outer);
  while (in.next()) {
    if (in.field() == 1) out.id = in.int64();
  }
}

void read(LeaseCheckpointRequest& out, ByteView bytes, FieldReader& outer) {
  FieldReader in(bytes, outer);
  while (in.next()) {
    if (in.field() != 1) continue;
    lease::Checkpoint one;
    FieldReader item(in.bytes(), in);
    while (item.next()) {
      if (item.field() == 1) one.id = lease::LeaseId{item.int64()};
      if (item.field() == 2) one.remaining_ttl = item.int64();
    }
    out.checkpoints.push_back(one);
  }
}

void read(AlarmRequest& out, ByteView bytes, FieldReader& outer) {
  FieldReader in(bytes, outer);
  while (in.next()) {
    if (in.field() == 1) out.action = AlarmAction{static_cast<std::int32_t>(in.uint64())};
    if (in.field() == 2) out.alarm.member = raft::NodeId(in.uint64());
    if (in.field() == 3) out.alarm.alarm = AlarmType{static_cast<std::int32_t>(in.uint64())};
  }
}

void read(ClusterVersionSet& out, ByteView bytes, FieldReader& outer) {
  FieldReader in(bytes, outer);
  while (in.next()) {
    if (in.field() == 1) out.version = in.bytes();
  }
}

void read_attributes(MemberAttributesSet& out, ByteView bytes, FieldReader& outer) {
  FieldReader in(bytes, outer);
  while (in.next()) {
    if (in.field() == 1) out.name = in.bytes();
    if (in.field() == 2) out.client_urls.emplace_back(in.bytes());
  }
}

void read(MemberAttributesSet& out, ByteView bytes, FieldReader& outer) {
  FieldReader in(bytes, outer);
  while (in.next()) {
    if (in.field() == 1) out.member = raft::NodeId(in.uint64());
    if (in.field() == 2) read_attributes(out, in.bytes(), in);
  }
}

void read(DowngradeInfoSet& out, ByteView bytes, FieldReader& outer) {
  FieldReader in(bytes, outer);
  while (in.next()) {
    if (in.field() == 1) out.info.enabled = in.flag();
    if (in.field() == 2) out.info.target_version = in.bytes();
  }
}

/// All fields of the v2 Request, each with the wire type that etcd's decoder insists on.
void read(LegacyRequest& out, ByteView bytes, FieldReader& outer) {
  FieldReader in(bytes, outer);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        out.id = in.uint64();
        break;
      case 2:
        out.method = in.bytes();
        break;
      case 3:
        out.path = in.bytes();
        break;
      case 4:
        out.value = in.bytes();
        break;
      case 6:
        (void)in.bytes();
        break;
      case 5:
      case 7:
      case 8:
      case 9:
      case 10:
      case 11:
      case 12:
      case 13:
      case 14:
      case 15:
      case 16:
      case 17:
        (void)in.uint64();
        break;
      default:
        break;
    }
  }
}

std::uint64_t read_header_id(ByteView bytes, FieldReader& outer) {
  std::uint64_t id = 0;
  FieldReader in(bytes, outer);
  while (in.next()) {
    if (in.field() == 1) id = in.uint64();
    if (in.field() == 2) (void)in.bytes();
    if (in.field() == 3) (void)in.uint64();
  }
  return id;
}

/// Reads into the alternative T, keeping what an earlier occurrence of the field left there.
template <class T>
void read_op(LogRequest& out, FieldReader& in) {
  if (!std::holds_alternative<T>(out.op)) out.op = T{};
  read(std::get<T>(out.op), in.bytes(), in);
}

/// Fields of InternalRaftRequest that hold no change of state, or one that we don't keep.
void read_other(LogRequest& out, FieldReader& in) {
  const std::uint32_t field = in.field();
  const bool reads_only = field == 1012 || field == 1013 || field == 1102 || field == 1106 ||
                          field == 1107 || field == 1202 || field == 9900;
  const bool known = reads_only || (field >= kFirstAuthField && field < 1205);
  if (!known) return;
  (void)in.bytes();
  if (reads_only) {
    out.op = NoChange{field};
  } else {
    out.op = Unsupported{field};
  }
}

void read_field(LogRequest& out, std::uint64_t& bare_id, FieldReader& in) {
  switch (in.field()) {
    case 1:
      bare_id = in.uint64();
      break;
    case 2:
      read_op<LegacyRequest>(out, in);
      break;
    case 3: {
      mvcc::RangeRequest ignored;
      read(ignored, in.bytes(), in);
      out.op = NoChange{3};
      break;
    }
    case 4:
      read_op<mvcc::PutRequest>(out, in);
      break;
    case 5:
      read_op<mvcc::DeleteRangeRequest>(out, in);
      break;
    case 6:
      read_op<mvcc::TxnRequest>(out, in);
      break;
    case 7:
      read_op<CompactionRequest>(out, in);
      break;
    case 8:
      read_op<LeaseGrantRequest>(out, in);
      break;
    case 9:
      read_op<LeaseRevokeRequest>(out, in);
      break;
    case 10:
      read_op<AlarmRequest>(out, in);
      break;
    case 11:
      read_op<LeaseCheckpointRequest>(out, in);
      break;
    case 100:
      out.id = read_header_id(in.bytes(), in);
      break;
    case 1300:
      read_op<ClusterVersionSet>(out, in);
      break;
    case 1301:
      read_op<MemberAttributesSet>(out, in);
      break;
    case 1302:
      read_op<DowngradeInfoSet>(out, in);
      break;
    default:
      read_other(out, in);
      break;
  }
}

Result<LogRequest> decode_internal(ByteView data) {
  LogRequest out;
  std::uint64_t bare_id = 0;
  FieldReader in(data);
  while (in.next()) read_field(out, bare_id, in);
  if (!in.ok()) return fail(Code::kCorruption, "log entry: malformed InternalRaftRequest");
  if (out.id == 0) out.id = bare_id;
  if (const auto* legacy = std::get_if<LegacyRequest>(&out.op); legacy != nullptr) {
    out.id = legacy->id;
  }
  return out;
}

template <class T>
Result<T> decode_body(ByteView body, std::string_view what) {
  T out;
  FieldReader root(ByteView{});
  read(out, body, root);
  if (!root.ok()) return fail(Code::kCorruption, "malformed " + std::string(what));
  return out;
}

}  // namespace

Result<LogRequest> decode_log_request(ByteView data) {
  Result<LogRequest> internal = decode_internal(data);
  if (internal) return internal;
  FieldReader root(ByteView{});
  LegacyRequest legacy;
  read(legacy, data, root);
  if (!root.ok()) {
    return fail(Code::kCorruption, "log entry: neither an InternalRaftRequest nor a v2 Request (" +
                                       std::to_string(data.size()) + " bytes)");
  }
  const std::uint64_t id = legacy.id;
  return LogRequest{id, std::move(legacy)};
}

Result<mvcc::TxnRequest> decode_txn_request(ByteView body) {
  return decode_body<mvcc::TxnRequest>(body, "TxnRequest");
}
Result<mvcc::PutRequest> decode_put_request(ByteView body) {
  return decode_body<mvcc::PutRequest>(body, "PutRequest");
}
Result<CompactionRequest> decode_compaction_request(ByteView body) {
  return decode_body<CompactionRequest>(body, "CompactionRequest");
}

std::string request_field_name(std::uint32_t field) {
  switch (field) {
    case 1000:
      return "auth_enable";
    case 1011:
      return "auth_disable";
    case 1100:
      return "auth_user_add";
    case 1101:
      return "auth_user_delete";
    case 1103:
      return "auth_user_change_password";
    case 1104:
      return "auth_user_grant_role";
    case 1105:
      return "auth_user_revoke_role";
    case 1200:
      return "auth_role_add";
    case 1201:
      return "auth_role_delete";
    case 1203:
      return "auth_role_grant_permission";
    case 1204:
      return "auth_role_revoke_permission";
    default:
      return "request field " + std::to_string(field);
  }
}

}  // namespace truss::server
