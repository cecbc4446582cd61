#include "truss/peer/bodies.h"

#include "json.h"
#include "truss/common/coding.h"

namespace truss::peer {
namespace {

constexpr std::size_t kMaxBodyBytes = 4u << 20;

Unexpected malformed(const char* what) {
  return fail(Code::kInvalidArgument, std::string(what) + ": not of the expected form");
}

std::int64_t as_signed(std::uint64_t value) { return static_cast<std::int64_t>(value); }
std::uint64_t as_unsigned(std::int64_t value) { return static_cast<std::uint64_t>(value); }

/// The bytes of field 1, the only one that matters.
Result<std::optional<ByteView>> inner_message(std::string_view bytes, const char* what) {
  std::optional<ByteView> inner;
  PbReader in(bytes);
  while (in.next()) {
    if (in.field() == 1) inner = in.bytes();
  }
  if (!in.ok()) return malformed(what);
  return inner;
}

Result<MemberInfo> parse_member(const rapidjson::Value& value) {
  MemberInfo member;
  const auto id = json_uint(value, "id");
  if (!id) return malformed("members");
  member.id = raft::NodeId(*id);
  member.peer_urls = json_strings(value, "peerURLs");
  member.is_learner = json_bool(value, "isLearner").value_or(false);
  member.name = json_string(value, "name").value_or("");
  member.client_urls = json_strings(value, "clientURLs");
  return member;
}

void add_number(const char* name, std::int64_t value, std::string& out) {
  if (value == 0) return;
  out += out.ends_with('{') ? "\"" : ",\"";
  out.append(name).append("\":").append(std::to_string(value));
}

}  // namespace

Result<std::vector<MemberInfo>> parse_members(std::string_view json) {
  TRUSS_ASSIGN(const auto document, parse_json(json, kMaxBodyBytes));
  if (!document.IsArray()) return malformed("members");
  std::vector<MemberInfo> members;
  for (const auto& value : document.GetArray()) {
    TRUSS_ASSIGN(MemberInfo member, parse_member(value));
    members.push_back(std::move(member));
  }
  return members;
}

std::string versions_json(const Versions& v) {
  const std::string cluster = v.cluster.empty() ? "not_decided" : v.cluster;
  std::string out = R"({"etcdserver":")" + v.server + R"(","etcdcluster":")" + cluster + "\"";
  if (v.storage) {
    out += R"(,"storage":")" + (v.storage->empty() ? std::string("unknown") : *v.storage) + "\"";
  }
  return out + "}";
}

Result<Versions> parse_versions(std::string_view json) {
  TRUSS_ASSIGN(const auto document, parse_json(json, kMaxBodyBytes));
  const auto server = json_string(document, "etcdserver");
  if (!server) return malformed("version");
  Versions versions{*server, json_string(document, "etcdcluster").value_or(""),
                    json_string(document, "storage")};
  if (versions.cluster == "not_decided") versions.cluster.clear();
  if (versions.storage == "unknown") versions.storage->clear();
  return versions;
}

std::string hash_kv_request_json(std::int64_t revision) {
  std::string out = "{";
  add_number("revision", revision, out);
  return out + "}";
}

Result<std::int64_t> parse_hash_kv_request(std::string_view json) {
  TRUSS_ASSIGN(const auto document, parse_json(json, kMaxBodyBytes));
  if (document.IsNull()) return 0;
  if (!document.IsObject()) return malformed("hashkv request");
  const auto* given = json_field(document, "revision");
  if (given == nullptr || given->IsNull()) return 0;
  const auto revision = json_int(document, "revision");
  if (!revision) return malformed("hashkv request");
  return *revision;
}

std::string hash_kv_json(const HashKv& answer, bool with_hash_revision) {
  std::string header = "{";
  add_number("revision", answer.current_revision, header);
  std::string out = "{\"header\":" + header + "}";
  add_number("hash", answer.hash, out);
  add_number("compact_revision", answer.compact_revision, out);
  if (with_hash_revision) add_number("hash_revision", answer.hash_revision, out);
  return out + "}";
}

Result<HashKv> parse_hash_kv(std::string_view json) {
  TRUSS_ASSIGN(const auto document, parse_json(json, kMaxBodyBytes));
  if (!document.IsObject()) return malformed("hashkv");
  HashKv answer;
  if (const auto* header = json_field(document, "header")) {
    answer.current_revision = json_int(*header, "revision").value_or(0);
  }
  const std::uint64_t hash = json_uint(document, "hash").value_or(0);
  if (hash > UINT32_MAX) return malformed("hashkv");
  answer.hash = static_cast<std::uint32_t>(hash);
  answer.compact_revision = json_int(document, "compact_revision").value_or(0);
  answer.hash_revision = json_int(document, "hash_revision").value_or(0);
  return answer;
}

std::string renew_request(std::int64_t id) {
  std::string out;
  PbWriter(out).field_varint(1, as_unsigned(id));
  return out;
}

Result<std::int64_t> parse_renew_request(std::string_view bytes) {
  std::int64_t id = 0;
  PbReader in(bytes);
  while (in.next()) {
    if (in.field() == 1) id = as_signed(in.varint());
  }
  if (!in.ok()) return malformed("lease renewal");
  return id;
}

std::string renew_response(std::int64_t id, std::int64_t ttl_seconds) {
  std::string out;
  PbWriter w(out);
  w.field_varint(2, as_unsigned(id));
  w.field_varint(3, as_unsigned(ttl_seconds));
  return out;
}

Result<std::int64_t> parse_renew_response(std::string_view bytes, std::int64_t id) {
  std::int64_t answered = 0;
  std::int64_t ttl = 0;
  PbReader in(bytes);
  while (in.next()) {
    if (in.field() == 2) answered = as_signed(in.varint());
    if (in.field() == 3) ttl = as_signed(in.varint());
  }
  if (!in.ok() || answered != id) return malformed("lease renewal");
  return ttl;
}

std::string time_to_live_request(const TimeToLiveRequest& request) {
  std::string inner;
  PbWriter w(inner);
  w.field_varint(1, as_unsigned(request.id));
  w.field_varint(2, request.keys ? 1 : 0);
  std::string out;
  PbWriter(out).put_bytes(1, inner);
  return out;
}

Result<TimeToLiveRequest> parse_time_to_live_request(std::string_view bytes) {
  TRUSS_ASSIGN(const auto inner, inner_message(bytes, "lease time-to-live"));
  if (!inner) return malformed("lease time-to-live");
  TimeToLiveRequest request;
  PbReader in(*inner);
  while (in.next()) {
    if (in.field() == 1) request.id = as_signed(in.varint());
    if (in.field() == 2) request.keys = in.varint() != 0;
  }
  if (!in.ok()) return malformed("lease time-to-live");
  return request;
}

std::string time_to_live_response(const LeaseTimeToLive& answer) {
  std::string inner;
  PbWriter w(inner);
  w.put_bytes(1, {});  // an empty header, as etcd sends it
  w.field_varint(2, as_unsigned(answer.id));
  w.field_varint(3, as_unsigned(answer.ttl_seconds));
  w.field_varint(4, as_unsigned(answer.granted_ttl_seconds));
  for (const std::string& key : answer.keys) w.put_bytes(5, key);
  std::string out;
  PbWriter(out).put_bytes(1, inner);
  return out;
}

Result<LeaseTimeToLive> parse_time_to_live_response(std::string_view bytes) {
  TRUSS_ASSIGN(const auto inner, inner_message(bytes, "lease time-to-live"));
  if (!inner) return malformed("lease time-to-live");
  LeaseTimeToLive answer;
  PbReader in(*inner);
  while (in.next()) {
    if (in.field() == 2) answer.id = as_signed(in.varint());
    if (in.field() == 3) answer.ttl_seconds = as_signed(in.varint());
    if (in.field() == 4) answer.granted_ttl_seconds = as_signed(in.varint());
    if (in.field() == 5) answer.keys.emplace_back(in.bytes());
  }
  if (!in.ok()) return malformed("lease time-to-live");
  return answer;
}

}  // namespace truss::peer
