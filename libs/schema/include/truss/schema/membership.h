#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "truss/common/bytes.h"
#include "truss/common/error.h"

namespace truss::bolt {
class Tx;
}

/// Buckets `members`, `members_removed` and `cluster`.
namespace truss::schema {

/// A member as etcd's JSON has it: in bucket `members`, in conf change contexts, in the v2 store.
struct Member {
  std::uint64_t id = 0;
  std::vector<std::string> peer_urls;
  bool is_learner = false;
  std::string name;
  std::vector<std::string> client_urls;

  friend bool operator==(const Member&, const Member&) = default;
};

/// Key of buckets `members` and `members_removed`: the id as `%x`.
std::string member_key(std::uint64_t id);
/// Errors: kCorruption unless 1 to 16 lower-case hex digits.
Result<std::uint64_t> parse_member_key(ByteView key);

/// `{"id":N,"peerURLs":[..],"isLearner":true,"name":"..","clientURLs":[..]}` byte for byte as Go
/// writes it: no learner, empty name or empty client URLs are left out, no peer URLs are `null`.
std::string encode_member(const Member& member);
/// Numbers keep all 64 bits; unknown fields (isPromote) are skipped. Errors: kCorruption.
Result<Member> decode_member(ByteView json);

struct Downgrade {
  std::string target_version;
  bool enabled = false;

  friend bool operator==(const Downgrade&, const Downgrade&) = default;
};
std::string encode_downgrade(const Downgrade& downgrade);
Result<Downgrade> decode_downgrade(ByteView json);

/// Value of each entry of bucket `members_removed`.
inline constexpr ByteView kRemovedValue = "removed";

/// All of a db's membership. Absent buckets count as empty.
struct Membership {
  std::vector<Member> members;         ///< by bucket order (hex text)
  std::vector<std::uint64_t> removed;  ///< by bucket order (hex text)
  std::string cluster_version;         ///< "3.4.0", empty if unset
  std::optional<Downgrade> downgrade;
};
/// Errors: kCorruption, those of bolt. Thread: the transaction's.
Result<Membership> read_membership(bolt::Tx& tx);

}  // namespace truss::schema
