#include "truss/waltool/operation.h"

#include <array>

#include "truss/common/coding.h"
#include "truss/common/field_reader.h"
#include "truss/mvcc/request_codec.h"
#include "truss/raft/codec.h"

namespace truss::waltool {
namespace {

constexpr std::size_t kMaxTouches = 4096;

struct NamedField {
  std::uint32_t field;
  const char* name;
};
constexpr NamedField kOtherFields[] = {{1000, "auth_enable"},
                                       {1011, "auth_disable"},
                                       {1012, "authenticate"},
                                       {1013, "auth_status"},
                                       {1100, "auth_user_add"},
                                       {1101, "auth_user_delete"},
                                       {1102, "auth_user_get"},
                                       {1103, "auth_user_change_password"},
                                       {1104, "auth_user_grant_role"},
                                       {1105, "auth_user_revoke_role"},
                                       {1106, "auth_user_list"},
                                       {1107, "auth_role_list"},
                                       {1200, "auth_role_add"},
                                       {1201, "auth_role_delete"},
                                       {1202, "auth_role_get"},
                                       {1203, "auth_role_grant_permission"},
                                       {1204, "auth_role_revoke_permission"},
                                       {1300, "cluster_version_set"},
                                       {1301, "cluster_member_attr_set"},
                                       {1302, "downgrade_info_set"},
                                       {9900, "downgrade_version_test"}};

std::string hex_id(std::uint64_t id) {
  char text[17];
  std::snprintf(text, sizeof text, "%llx", static_cast<unsigned long long>(id));
  return text;
}

std::string number(std::int64_t n) { return std::to_string(n); }

std::string key_text(ByteView key, ByteView end) {
  return end.empty() ? quoted(key) : "[" + quoted(key) + ", " + quoted(end) + ")";
}

std::string touch_text(const Touch& touch) {
  switch (touch.kind) {
    case OperationKind::kPut:
      return "put " + quoted(touch.key) + " " + std::to_string(touch.value.size()) + " B" +
             (touch.lease != 0 ? " lease " + hex_id(static_cast<std::uint64_t>(touch.lease)) : "");
    case OperationKind::kDeleteRange:
      return "delete " + key_text(touch.key, touch.range_end);
    default:
      return "range " + key_text(touch.key, touch.range_end);
  }
}

Touch touch_of(const mvcc::PutRequest& r) {
  return {OperationKind::kPut, r.key, {}, r.value, static_cast<std::int64_t>(r.lease)};
}
Touch touch_of(const mvcc::DeleteRangeRequest& r) {
  return {OperationKind::kDeleteRange, r.key, r.range_end, {}, 0};
}
Touch touch_of(const mvcc::RangeRequest& r) {
  return {OperationKind::kRange, r.key, r.range_end, {}, 0};
}

void add_touches(const mvcc::TxnRequest& txn, std::vector<Touch>& out) {
  for (const auto* branch : {&txn.success, &txn.failure}) {
    for (const mvcc::RequestOp& op : *branch) {
      if (out.size() >= kMaxTouches) return;
      std::visit(
          [&](const auto& request) {
            using T = std::decay_t<decltype(request)>;
            if constexpr (std::is_same_v<T, mvcc::TxnRequest>) {
              add_touches(request, out);
            } else if constexpr (!std::is_same_v<T, std::monostate>) {
              out.push_back(touch_of(request));
            }
          },
          op.op);
    }
  }
}

class Decoder {
 public:
  explicit Decoder(ByteView data) : data_(data) {}

  Operation run() {
    if (internal() && out_.kind != OperationKind::kUnknown) return std::move(out_);
    out_ = {};
    if (legacy()) return std::move(out_);
    out_ = {};
    out_.text = std::to_string(data_.size()) + " B that do not decode";
    return std::move(out_);
  }

 private:
  bool internal() {
    FieldReader in(data_);
    while (in.next()) field(in);
    return in.ok();
  }

  template <class Request>
  void keyed(OperationKind kind, FieldReader& in) {
    Request request;
    mvcc::read(request, in.bytes(), in);
    out_.kind = kind;
    if constexpr (std::is_same_v<Request, mvcc::TxnRequest>) {
      add_touches(request, out_.touches);
      out_.text = "txn if " + std::to_string(request.compare.size()) + " then " +
                  std::to_string(request.success.size()) + " else " +
                  std::to_string(request.failure.size());
      for (const Touch& touch : out_.touches) out_.text += "; " + touch_text(touch);
    } else {
      out_.touches.push_back(touch_of(request));
      out_.text = touch_text(out_.touches.back());
    }
  }

  /// Numbers of a small message, by field.
  void numbers(OperationKind kind, FieldReader& in, const char* what,
               std::initializer_list<const char*> names, bool hex_last) {
    FieldReader inner(in.bytes(), in);
    std::array<std::int64_t, 4> values{};
    while (inner.next()) {
      if (inner.field() >= 1 && inner.field() <= names.size())
        values.at(inner.field()) = inner.int64();
    }
    out_.kind = kind;
    out_.text = what;
    std::size_t i = 1;
    for (const char* name : names) {
      const bool hex = hex_last && i == names.size();
      out_.text += " " + std::string(name) + "=" +
                   (hex ? hex_id(static_cast<std::uint64_t>(values.at(i))) : number(values.at(i)));
      ++i;
    }
  }

  void checkpoints(FieldReader& in) {
    FieldReader inner(in.bytes(), in);
    std::size_t count = 0;
    while (inner.next()) count += inner.field() == 1;
    out_.kind = OperationKind::kLeaseCheckpoint;
    out_.text = "lease checkpoint of " + std::to_string(count);
  }

  void header(FieldReader& in) {
    FieldReader inner(in.bytes(), in);
    while (inner.next()) {
      if (inner.field() == 1) out_.id = inner.uint64();
      if (inner.field() == 2) out_.user = inner.bytes();
    }
  }

  void field(FieldReader& in) {
    switch (in.field()) {
      case 1:
        out_.id = in.uint64();
        return;
      case 2:
        v2(in);
        return;
      case 3:
        return keyed<mvcc::RangeRequest>(OperationKind::kRange, in);
      case 4:
        return keyed<mvcc::PutRequest>(OperationKind::kPut, in);
      case 5:
        return keyed<mvcc::DeleteRangeRequest>(OperationKind::kDeleteRange, in);
      case 6:
        return keyed<mvcc::TxnRequest>(OperationKind::kTxn, in);
      case 7:
        return numbers(OperationKind::kCompaction, in, "compact", {"revision", "physical"}, false);
      case 8:
        return numbers(OperationKind::kLeaseGrant, in, "lease grant", {"ttl", "id"}, true);
      case 9:
        return numbers(OperationKind::kLeaseRevoke, in, "lease revoke", {"id"}, true);
      case 10:
        return numbers(OperationKind::kAlarm, in, "alarm", {"action", "member", "alarm"}, false);
      case 11:
        return checkpoints(in);
      case 100:
        return header(in);
      default:
        return other(in);
    }
  }

  void other(FieldReader& in) {
    for (const NamedField& named : kOtherFields) {
      if (named.field != in.field()) continue;
      out_.kind = named.field >= 1300 ? OperationKind::kCluster : OperationKind::kAuth;
      out_.name = out_.text = named.name;
      FieldReader inner(in.bytes(), in);
      while (inner.next()) {
        // Names of users, roles and versions; never field 2 or above, where passwords are.
        if (inner.field() == 1 && named.field != 1301 && named.field != 1302)
          out_.text += " " + quoted(inner.bytes());
      }
    }
  }

  void v2(FieldReader& in) {
    const ByteView body = in.bytes();
    FieldReader inner(body, in);
    while (inner.next()) {
    }
    if (inner.ok()) request(body);
  }

  bool legacy() { return request(data_) && out_.kind == OperationKind::kRequest; }

  bool request(ByteView bytes) {
    PbReader in(bytes);
    std::string method;
    std::string path;
    std::string value;
    while (in.next()) {
      if (in.field() == 1) out_.id = in.varint();
      if (in.field() == 2) method = in.bytes();
      if (in.field() == 3) path = in.bytes();
      if (in.field() == 4) value = in.bytes();
    }
    if (!in.ok() || method.empty()) return false;
    out_.kind = OperationKind::kRequest;
    out_.text = "method=" + method + " path=" + quoted(path);
    if (!value.empty()) out_.text += " value=" + quoted(ByteView(value).substr(0, 256));
    return true;
  }

  ByteView data_;
  Operation out_;
};

Operation conf_change(ByteView data) {
  Operation out;
  const auto change = raft::decode_conf_change(data);
  out.text = "a membership change that does not decode";
  if (!change) return out;
  constexpr std::array kMethods = {"ConfChangeAddNode", "ConfChangeRemoveNode",
                                   "ConfChangeUpdateNode", "ConfChangeAddLearnerNode"};
  out.kind = OperationKind::kConfChange;
  out.id = change->id;
  out.text = std::string("method=") + kMethods.at(static_cast<std::size_t>(change->type)) +
             " id=" + hex_id(change->node_id.value());
  if (!change->context.empty()) out.text += " context=" + quoted(change->context.view());
  return out;
}

}  // namespace

std::string operation_name(OperationKind kind) {
  constexpr std::array kNames = {
      "empty",       "put",          "delete-range",     "txn",   "range", "compaction",
      "lease-grant", "lease-revoke", "lease-checkpoint", "alarm", "auth",  "cluster",
      "request",     "conf-change",  "unknown"};
  return kNames.at(static_cast<std::size_t>(kind));
}

Operation decode_operation(raft::EntryType type, ByteView data) {
  Operation out;
  if (type == raft::EntryType::kConfChange) {
    out = conf_change(data);
  } else if (type == raft::EntryType::kConfChangeV2) {
    out.kind = OperationKind::kConfChange;
    out.text = "ConfChangeV2";
  } else if (data.empty()) {
    out.kind = OperationKind::kEmpty;
    out.text = "a new leader's empty entry";
  } else {
    out = Decoder(data).run();
  }
  if (out.name.empty()) out.name = operation_name(out.kind);
  return out;
}

}  // namespace truss::waltool
