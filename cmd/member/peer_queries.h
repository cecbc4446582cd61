#pragma once

#include <string>
#include <vector>

#include "truss/peer/queries.h"
#include "truss/server/peer_queries.h"

namespace truss::member {

/// The server's questions to other members, asked by libs/peer. Thread: any.
class PeerQueries final : public server::PeerQueries {
 public:
  explicit PeerQueries(peer::Queries& queries) : queries_(queries) {}

  void members(const std::string& url, Duration timeout,
               Callback<server::PeerMembers> done) override;
  void version(const std::string& url, Duration timeout,
               Callback<server::PeerVersion> done) override;
  void downgrade_enabled(const std::string& url, Duration timeout, Callback<bool> done) override;
  void lease_renew(const std::string& url, std::int64_t id, Duration timeout,
                   Callback<std::int64_t> done) override;
  void lease_time_to_live(const std::string& url, std::int64_t id, bool keys, Duration timeout,
                          Callback<lease::LeaseInfo> done) override;
  void promote(const std::string& url, raft::NodeId id, Duration timeout,
               Callback<std::vector<server::Member>> done) override;
  void hash_kv(const std::string& url, server::ClusterId cluster, std::int64_t revision,
               Duration timeout, Callback<server::PeerHashKv> done) override;
  void resolve(const std::string& url, Duration timeout, Callback<std::string> done) override;
  void stop() override { queries_.stop(); }

 private:
  peer::Queries& queries_;
};

}  // namespace truss::member
