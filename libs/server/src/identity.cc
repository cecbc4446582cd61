#include <openssl/sha.h>

#include <algorithm>

#include "truss/common/coding.h"
#include "truss/server/member.h"

namespace truss::server {
namespace {

/// The first eight bytes of SHA-1, big-endian.
std::uint64_t sha1_prefix(std::string_view bytes) {
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
  return load_be64(reinterpret_cast<const char*>(digest));
}

}  // namespace

raft::NodeId compute_member_id(std::vector<std::string> peer_urls, std::string_view token,
                               std::int64_t unix_seconds) {
  std::sort(peer_urls.begin(), peer_urls.end());
  std::string text;
  for (const std::string& url : peer_urls) text += url;
  text += token;
  if (unix_seconds != 0) text += std::to_string(unix_seconds);
  return raft::NodeId(sha1_prefix(text));
}

ClusterId compute_cluster_id(std::vector<raft::NodeId> members) {
  std::sort(members.begin(), members.end());
  std::string bytes(members.size() * 8, '\0');
  for (std::size_t i = 0; i < members.size(); ++i) store_be64(&bytes[i * 8], members[i].value());
  return ClusterId(sha1_prefix(bytes));
}

std::string id_text(std::uint64_t id) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  do {
    out.insert(out.begin(), kDigits[id & 15]);
    id >>= 4;
  } while (id != 0);
  return out;
}

}  // namespace truss::server
