#include <rapidjson/document.h>
#include <rapidjson/error/en.h>

#include <algorithm>

#include "hex_name.h"
#include "truss/snap/v2_store.h"

namespace truss::snap {
namespace {

using Json = rapidjson::Value;

Unexpected bad(const std::string& where, const std::string& what) {
  return fail(Code::kCorruption, "v2 store document: " + where + ": " + what);
}

ByteView text_of(const Json& value) { return {value.GetString(), value.GetStringLength()}; }

/// Parses without recursion, so that nesting can't exhaust the stack.
Result<> parse(rapidjson::Document& document, ByteView text, const std::string& where) {
  document.Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
  if (document.HasParseError()) {
    return bad(where, std::string(rapidjson::GetParseError_En(document.GetParseError())) +
                          " at byte " + std::to_string(document.GetErrorOffset()));
  }
  if (!document.IsObject()) return bad(where, "not an object");
  return {};
}

const Json* member_of(const Json& object, const char* name) {
  if (!object.IsObject()) return nullptr;
  const auto found = object.FindMember(name);
  return found == object.MemberEnd() ? nullptr : &found->value;
}

/// The `Children` of a directory node; null for a file, an absent node or anything malformed.
const Json* children_of(const Json* node) {
  const Json* children = node == nullptr ? nullptr : member_of(*node, "Children");
  return children != nullptr && children->IsObject() ? children : nullptr;
}

const Json* child_of(const Json* node, const char* name) {
  const Json* children = children_of(node);
  return children == nullptr ? nullptr : member_of(*children, name);
}

/// The `Value` of a file node.
Result<ByteView> value_of(const Json& node, const std::string& path) {
  const Json* value = member_of(node, "Value");
  if (value == nullptr || !value->IsString()) return bad(path, "no value");
  return text_of(*value);
}

/// A list of strings inside an attributes object; absent and null are empty.
Result<std::vector<std::string>> strings_of(const Json& object, const char* name,
                                            const std::string& path) {
  std::vector<std::string> out;
  const Json* list = member_of(object, name);
  if (list == nullptr || list->IsNull()) return out;
  if (!list->IsArray()) return bad(path, std::string(name) + " is not a list");
  for (const Json& item : list->GetArray()) {
    if (!item.IsString()) return bad(path, std::string(name) + " holds something else than text");
    out.emplace_back(text_of(item));
  }
  return out;
}

Result<> read_raft_attributes(ByteView value, const std::string& path, V2Member& member) {
  rapidjson::Document object;
  TRUSS_TRY(parse(object, value, path));
  TRUSS_ASSIGN(member.peer_urls, strings_of(object, "peerURLs", path));
  const Json* learner = member_of(object, "isLearner");
  member.is_learner = learner != nullptr && learner->IsTrue();
  return {};
}

Result<> read_attributes(ByteView value, const std::string& path, V2Member& member) {
  rapidjson::Document object;
  TRUSS_TRY(parse(object, value, path));
  TRUSS_ASSIGN(member.client_urls, strings_of(object, "clientURLs", path));
  const Json* name = member_of(object, "name");
  if (name != nullptr && name->IsString()) member.name = text_of(*name);
  return {};
}

Result<raft::NodeId> read_id(ByteView text, const std::string& path) {
  const auto id = parse_hex(text);
  if (!id) return bad(path, "not a member id");
  return raft::NodeId(*id);
}

Result<V2Member> read_member(ByteView name, const Json& node) {
  const std::string path = "/0/members/" + std::string(name);
  V2Member member;
  TRUSS_ASSIGN(member.id, read_id(name, path));
  bool has_raft_attributes = false;
  if (const Json* children = children_of(&node)) {
    for (const auto& child : children->GetObject()) {
      const std::string child_path = path + '/' + std::string(text_of(child.name));
      TRUSS_ASSIGN(const ByteView value, value_of(child.value, child_path));
      if (text_of(child.name) == "raftAttributes") {
        has_raft_attributes = true;
        TRUSS_TRY(read_raft_attributes(value, child_path, member));
      } else if (text_of(child.name) == "attributes") {
        TRUSS_TRY(read_attributes(value, child_path, member));
      } else {
        return bad(child_path, "unknown attribute of a member");
      }
    }
  }
  if (!has_raft_attributes) return bad(path, "no raftAttributes");
  return member;
}

Result<> read_members(const Json* children, V2Membership& membership) {
  if (children == nullptr) return {};
  for (const auto& child : children->GetObject()) {
    TRUSS_ASSIGN(V2Member member, read_member(text_of(child.name), child.value));
    membership.members.push_back(std::move(member));
  }
  auto& members = membership.members;
  std::sort(members.begin(), members.end(),
            [](const V2Member& a, const V2Member& b) { return a.id < b.id; });
  const auto twice =
      std::adjacent_find(members.begin(), members.end(),
                         [](const V2Member& a, const V2Member& b) { return a.id == b.id; });
  if (twice == members.end()) return {};
  return bad("/0/members", "id " + hex(twice->id.value()) + " is there twice");
}

Result<> read_removed(const Json* children, V2Membership& membership) {
  if (children == nullptr) return {};
  for (const auto& child : children->GetObject()) {
    const ByteView name = text_of(child.name);
    TRUSS_ASSIGN(const raft::NodeId id, read_id(name, "/0/removed_members/" + std::string(name)));
    membership.removed.push_back(id);
  }
  auto& removed = membership.removed;
  std::sort(removed.begin(), removed.end());
  removed.erase(std::unique(removed.begin(), removed.end()), removed.end());
  return {};
}

/// True if the node is a file or some file lies below it. Not recursive: depth is the input's.
bool holds_file(const Json& node) {
  std::vector<const Json*> pending{&node};
  while (!pending.empty()) {
    const Json* children = children_of(pending.back());
    pending.pop_back();
    if (children == nullptr) return true;
    for (const auto& child : children->GetObject()) pending.push_back(&child.value);
  }
  return false;
}

Result<> refuse_foreign_keys(const Json& root) {
  const Json* children = children_of(&root);
  if (children == nullptr) return bad("/", "the root is not a directory");
  for (const auto& child : children->GetObject()) {
    const ByteView name = text_of(child.name);
    if (name == "0" || !holds_file(child.value)) continue;
    return fail(Code::kFailedPrecondition,
                "v2 store document: there are v2 keys under /" + std::string(name) +
                    ", which are not served: migrate or delete them with etcd first");
  }
  return {};
}

}  // namespace

Result<V2Membership> parse_v2_store(ByteView json) {
  rapidjson::Document document;
  TRUSS_TRY(parse(document, json, "document"));
  const Json* root = member_of(document, "Root");
  if (root == nullptr) return bad("document", "no Root");
  TRUSS_TRY(refuse_foreign_keys(*root));

  V2Membership membership;
  const Json* cluster = child_of(root, "0");
  TRUSS_TRY(read_members(children_of(child_of(cluster, "members")), membership));
  TRUSS_TRY(read_removed(children_of(child_of(cluster, "removed_members")), membership));
  if (const Json* version = child_of(cluster, "version")) {
    TRUSS_ASSIGN(membership.version, value_of(*version, "/0/version"));
  }
  return membership;
}

}  // namespace truss::snap
