#include "truss/schema/membership.h"

#include <charconv>

#include "bucket_scan.h"
#include "json.h"
#include "truss/common/text.h"
#include "truss/schema/buckets.h"

namespace truss::schema {

std::string member_key(std::uint64_t id) {
  char text[16];
  const auto end = std::to_chars(text, text + sizeof text, id, 16);
  return std::string(text, end.ptr);
}

Result<std::uint64_t> parse_member_key(ByteView key) {
  std::uint64_t id = 0;
  const auto parsed = std::from_chars(key.data(), key.data() + key.size(), id, 16);
  const bool lower = key.find_first_not_of("0123456789abcdef") == ByteView::npos;
  if (!lower || parsed.ec != std::errc() || parsed.ptr != key.data() + key.size())
    return fail(Code::kCorruption, "malformed member id " + quoted(key.substr(0, 40)));
  return id;
}

std::string encode_member(const Member& member) {
  std::string out = "{\"id\":" + std::to_string(member.id) + ",\"peerURLs\":";
  append_text_list(out, member.peer_urls);
  if (member.is_learner) out += ",\"isLearner\":true";
  if (!member.name.empty()) {
    out += ",\"name\":";
    append_json_string(out, member.name);
  }
  if (!member.client_urls.empty()) {
    out += ",\"clientURLs\":";
    append_text_list(out, member.client_urls);
  }
  out.push_back('}');
  return out;
}

Result<Member> decode_member(ByteView json) {
  TRUSS_ASSIGN(const auto object, JsonObject::parse(json, "member"));
  Member member;
  TRUSS_ASSIGN(member.id, object.number("id"));
  TRUSS_ASSIGN(member.peer_urls, object.texts("peerURLs"));
  TRUSS_ASSIGN(member.is_learner, object.flag("isLearner"));
  TRUSS_ASSIGN(member.name, object.text("name"));
  TRUSS_ASSIGN(member.client_urls, object.texts("clientURLs"));
  return member;
}

std::string encode_downgrade(const Downgrade& downgrade) {
  std::string out = "{\"target-version\":";
  append_json_string(out, downgrade.target_version);
  out += downgrade.enabled ? ",\"enabled\":true}" : ",\"enabled\":false}";
  return out;
}

Result<Downgrade> decode_downgrade(ByteView json) {
  TRUSS_ASSIGN(const auto object, JsonObject::parse(json, "downgrade"));
  Downgrade downgrade;
  TRUSS_ASSIGN(downgrade.target_version, object.text("target-version"));
  TRUSS_ASSIGN(downgrade.enabled, object.flag("enabled"));
  return downgrade;
}

Result<Membership> read_membership(bolt::Tx& tx) {
  Membership out;
  TRUSS_TRY(scan_bucket(tx, BucketId::kMembers, [&](ByteView key, ByteView value) -> Result<> {
    TRUSS_ASSIGN(const std::uint64_t id, parse_member_key(key));
    TRUSS_ASSIGN(Member member, decode_member(value));
    if (member.id != id)
      return fail(Code::kCorruption, "member " + member_key(member.id) + " under another's key");
    out.members.push_back(std::move(member));
    return {};
  }));
  TRUSS_TRY(scan_bucket(tx, BucketId::kMembersRemoved, [&](ByteView key, ByteView) -> Result<> {
    TRUSS_ASSIGN(const std::uint64_t id, parse_member_key(key));
    out.removed.push_back(id);
    return {};
  }));
  TRUSS_TRY(scan_bucket(tx, BucketId::kCluster, [&](ByteView key, ByteView value) -> Result<> {
    if (key == kClusterVersionKey) out.cluster_version = value;
    if (key == kDowngradeKey) {
      TRUSS_ASSIGN(out.downgrade, decode_downgrade(value));
    }
    return {};
  }));
  return out;
}

}  // namespace truss::schema
