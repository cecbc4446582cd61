#include <rapidjson/document.h>

#include "truss/common/text.h"
#include "truss/schema/membership.h"
#include "truss/server/member.h"

namespace truss::server {
namespace {

using Json = rapidjson::Value;

Unexpected bad_json(std::string_view json, std::string_view why) {
  return fail(Code::kCorruption,
              "member JSON " + quoted(json.substr(0, 200)) + ": " + std::string(why));
}

const Json* find(const Json& object, const char* key) {
  const auto it = object.FindMember(key);
  return it == object.MemberEnd() || it->value.IsNull() ? nullptr : &it->value;
}

bool read_strings(const Json& object, const char* key, std::vector<std::string>& out) {
  const Json* list = find(object, key);
  if (list == nullptr) return true;
  if (!list->IsArray()) return false;
  for (const Json& item : list->GetArray()) {
    if (!item.IsString()) return false;
    out.emplace_back(item.GetString(), item.GetStringLength());
  }
  return true;
}

bool read_flag(const Json& object, const char* key, bool& out) {
  const Json* flag = find(object, key);
  if (flag != nullptr && flag->IsBool()) out = flag->GetBool();
  return flag == nullptr || flag->IsBool();
}

bool read_name(const Json& object, std::string& out) {
  const Json* name = find(object, "name");
  if (name != nullptr && name->IsString()) out.assign(name->GetString(), name->GetStringLength());
  return name == nullptr || name->IsString();
}

bool read_id(const Json& object, raft::NodeId& out) {
  const Json* id = find(object, "id");
  if (id == nullptr || !id->IsUint64()) return false;
  out = raft::NodeId(id->GetUint64());
  return true;
}

}  // namespace

std::string member_json(const Member& member) {
  return schema::encode_member(
      {member.id.value(), member.peer_urls, member.is_learner, member.name, member.client_urls});
}

std::string promote_json(raft::NodeId id) {
  return "{\"id\":" + std::to_string(id.value()) + ",\"peerURLs\":null,\"isPromote\":true}";
}

Result<MemberContext> parse_member_json(std::string_view json) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(json.data(), json.size());
  if (document.HasParseError()) return bad_json(json, "not JSON");
  if (!document.IsObject()) return bad_json(json, "not an object");
  MemberContext out;
  Member& m = out.member;
  const bool read = read_id(document, m.id) && read_strings(document, "peerURLs", m.peer_urls) &&
                    read_flag(document, "isLearner", m.is_learner) && read_name(document, m.name) &&
                    read_strings(document, "clientURLs", m.client_urls) &&
                    read_flag(document, "isPromote", out.is_promote);
  if (!read) return bad_json(json, "a field is missing or of the wrong type");
  return out;
}

Result<PublishedAttributes> parse_attributes_json(std::string_view json) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(json.data(), json.size());
  if (document.HasParseError() || !document.IsObject()) return bad_json(json, "not an object");
  PublishedAttributes out;
  const bool read =
      read_name(document, out.name) && read_strings(document, "clientURLs", out.client_urls);
  if (!read) return bad_json(json, "a field is of the wrong type");
  return out;
}

std::string attributes_json(std::string_view name, const std::vector<std::string>& client_urls) {
  std::string out = "{";
  if (!name.empty()) append_json_string(out += "\"name\":", name);
  if (!client_urls.empty()) {
    out += name.empty() ? "\"clientURLs\":" : ",\"clientURLs\":";
    append_json_strings(out, client_urls);
  }
  return out + "}";
}

std::string raft_attributes_json(const Member& member) {
  std::string out = "{\"peerURLs\":";
  append_json_strings(out, member.peer_urls);
  if (member.is_learner) out += ",\"isLearner\":true";
  return out + "}";
}

}  // namespace truss::server
