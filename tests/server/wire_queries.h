#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sim_wire.h"

/// What members of a simulated world ask each other outside of raft.
namespace truss::server::testing {

/// The questions of the member at `self`.
class WireQueries final : public PeerQueries {
 public:
  WireQueries(Wire& wire, std::string self) : wire_(wire), self_(std::move(self)) {}
  ~WireQueries() override { stop(); }

  void members(const std::string& url, Duration timeout, Callback<PeerMembers> done) override;
  void version(const std::string& url, Duration timeout, Callback<PeerVersion> done) override;
  void downgrade_enabled(const std::string& url, Duration timeout, Callback<bool> done) override;
  void lease_renew(const std::string& url, std::int64_t id, Duration timeout,
                   Callback<std::int64_t> done) override;
  void lease_time_to_live(const std::string& url, std::int64_t id, bool keys, Duration timeout,
                          Callback<lease::LeaseInfo> done) override;
  void promote(const std::string& url, raft::NodeId id, Duration timeout,
               Callback<std::vector<Member>> done) override;
  void hash_kv(const std::string& url, ClusterId cluster, std::int64_t revision, Duration timeout,
               Callback<PeerHashKv> done) override;
  void resolve(const std::string& url, Duration timeout, Callback<std::string> done) override;
  void stop() override;

 private:
  template <class T>
  struct Open;
  template <class T>
  using Handler = std::function<void(Server&, Callback<T>)>;
  /// Answers by the member at `url`, by the fake there, or with kUnavailable.
  template <class T>
  void ask(const std::string& url, Duration timeout, Callback<T> done, Handler<T> handler,
           std::function<Result<T>(const FakePeer&)> fake = nullptr);

  Wire& wire_;
  const std::string self_;
  std::vector<std::function<void()>> cancels_;
  bool stopped_ = false;
};

}  // namespace truss::server::testing
