#include "corruption.h"

namespace truss::server {

void poll_hashes(PeerQueries& queries, const std::vector<Member>& members, ClusterId cluster,
                 std::int64_t revision, Duration timeout,
                 absl::AnyInvocable<void(std::vector<PeerHash>)> done) {
  std::vector<raft::NodeId> ids;
  for (const Member& member : members) ids.push_back(member.id);
  PeerPoll<PeerHashKv>::begin(
      members,
      [&queries, cluster, revision, timeout](const std::string& url,
                                             PeerPoll<PeerHashKv>::Answer answer) {
        queries.hash_kv(url, cluster, revision, timeout, std::move(answer));
      },
      [ids = std::move(ids),
       done = std::move(done)](std::vector<Result<PeerHashKv>> answers) mutable {
        std::vector<PeerHash> hashes;
        for (std::size_t i = 0; i < answers.size(); ++i) {
          hashes.push_back({ids[i], std::move(answers[i])});
        }
        done(std::move(hashes));
      });
}

std::vector<raft::NodeId> differing(const mvcc::HashKv& own, const std::vector<PeerHash>& others) {
  std::vector<raft::NodeId> out;
  for (const PeerHash& other : others) {
    if (!other.answer || other.answer->compact_revision != own.compact_revision) continue;
    if (other.answer->hash != own.hash) out.push_back(other.member);
  }
  return out;
}

std::optional<CorruptionVerdict> judge_hashes(raft::NodeId self, const mvcc::HashKv& before,
                                              const mvcc::HashKv& after,
                                              const std::vector<PeerHash>& others) {
  if (before.hash != after.hash && before.current_revision == after.current_revision &&
      before.compact_revision == after.compact_revision) {
    return CorruptionVerdict{self, "its own hash changed at one revision"};
  }
  for (const PeerHash& other : others) {
    if (!other.answer) continue;
    const PeerHashKv& hash = *other.answer;
    if (hash.current_revision > after.current_revision) {
      return CorruptionVerdict{other.member,
                               "revision from follower must be less than or equal to leader's: " +
                                   std::to_string(hash.current_revision) + ", here " +
                                   std::to_string(after.current_revision)};
    }
    if (hash.compact_revision > after.compact_revision) {
      return CorruptionVerdict{
          other.member, "compact revision from follower must be less than or equal to leader's: " +
                            std::to_string(hash.compact_revision) + ", here " +
                            std::to_string(after.compact_revision)};
    }
    if (hash.compact_revision == before.compact_revision && hash.hash != before.hash) {
      return CorruptionVerdict{other.member, "same compact revision then hashes must match: " +
                                                 std::to_string(hash.hash) + ", here " +
                                                 std::to_string(before.hash) + ", at revision " +
                                                 std::to_string(before.hash_revision)};
    }
  }
  return std::nullopt;
}

}  // namespace truss::server
