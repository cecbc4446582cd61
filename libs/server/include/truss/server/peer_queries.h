#pragma once

#include <absl/functional/any_invocable.h>

#include <cstdint>
#include <string>
#include <vector>

#include "truss/common/clock.h"
#include "truss/common/error.h"
#include "truss/lease/lessor.h"
#include "truss/server/member.h"

namespace truss::server {

/// Answer of `GET /members`: what that member knows, not agreed with anybody.
struct PeerMembers {
  ClusterId cluster;  ///< of the header X-Etcd-Cluster-ID
  std::vector<Member> members;
};

/// Answer of `GET /version`, as it stands there.
struct PeerVersion {
  std::string server;   ///< `3.4.23`
  std::string cluster;  ///< `3.4.0`, or `not_decided`
  std::string storage;  ///< `3.6.0`; empty below 3.6; maybe `unknown`
};

/// Answer of `GET /members/hashkv`.
struct PeerHashKv {
  std::int64_t current_revision = 0;  ///< of the member that answered
  std::uint32_t hash = 0;
  std::int64_t compact_revision = 0;
  std::int64_t hash_revision = 0;  ///< 0 below 3.6
};

/// Questions to other members outside the raft channels: short HTTP requests to one peer URL each.
/// Which members to ask, in which order and how often, is the server's business.
///
/// `url` is a peer URL as a member advertises it (`http://h:2380`). Every call answers once, within
/// `timeout`, maybe inside the call, on any thread; a callback must only post. No retries, no
/// redirects.
///
/// Errors, for all: the HTTP status as a code, and the body (less one newline at its end) as the
/// message: 400 kInvalidArgument, 403 kPermissionDenied, 404 kNotFound, 408 kDeadlineExceeded,
/// 410 kOutOfRange, 412 kFailedPrecondition, any other kInternal. kUnavailable: no connection, or
/// it broke, or no answer in time. kUnknown: 200, but with a body or header that can't be read.
/// kCanceled: stop().
///
/// Thread: any.
class PeerQueries {
 public:
  template <class T>
  using Callback = absl::AnyInvocable<void(Result<T>)>;

  virtual ~PeerQueries() = default;

  /// `GET /members`. A cluster id that is missing or no hex number is kUnknown.
  virtual void members(const std::string& url, Duration timeout, Callback<PeerMembers> done) = 0;
  /// `GET /version`.
  virtual void version(const std::string& url, Duration timeout, Callback<PeerVersion> done) = 0;
  /// `GET /downgrade/enabled`: body `true` or `false`. 404 from a 3.4 member is kNotFound.
  virtual void downgrade_enabled(const std::string& url, Duration timeout, Callback<bool> done) = 0;

  /// `POST /leases`: the TTL in seconds after the renewal.
  virtual void lease_renew(const std::string& url, std::int64_t id, Duration timeout,
                           Callback<std::int64_t> done) = 0;
  /// `POST /leases/internal`. With `keys` the answer lists the attached keys, sorted.
  virtual void lease_time_to_live(const std::string& url, std::int64_t id, bool keys,
                                  Duration timeout, Callback<lease::LeaseInfo> done) = 0;
  /// `POST /members/promote/<decimal id>`: the members after it.
  virtual void promote(const std::string& url, raft::NodeId id, Duration timeout,
                       Callback<std::vector<Member>> done) = 0;
  /// `GET /members/hashkv` at `revision`; 0: the current one. Sends X-Etcd-Cluster-ID of `cluster`.
  virtual void hash_kv(const std::string& url, ClusterId cluster, std::int64_t revision,
                       Duration timeout, Callback<PeerHashKv> done) = 0;

  /// The URL with its host as a numeric address (IPv4 before IPv6), the port as it was. A numeric
  /// host is answered unchanged. Errors: kUnavailable, kInvalidArgument for what is no URL.
  virtual void resolve(const std::string& url, Duration timeout, Callback<std::string> done) = 0;

  /// Open calls answer kCanceled, and so does every later one; no callback runs after it returned.
  /// Idempotent. Not from a callback.
  virtual void stop() = 0;
};

/// Of a member without peers: whatever is asked fails with kUnavailable.
class NullPeerQueries final : public PeerQueries {
 public:
  static NullPeerQueries& instance();

  void members(const std::string&, Duration, Callback<PeerMembers> done) override;
  void version(const std::string&, Duration, Callback<PeerVersion> done) override;
  void downgrade_enabled(const std::string&, Duration, Callback<bool> done) override;
  void lease_renew(const std::string&, std::int64_t, Duration, Callback<std::int64_t>) override;
  void lease_time_to_live(const std::string&, std::int64_t, bool, Duration,
                          Callback<lease::LeaseInfo> done) override;
  void promote(const std::string&, raft::NodeId, Duration, Callback<std::vector<Member>>) override;
  void hash_kv(const std::string&, ClusterId, std::int64_t, Duration,
               Callback<PeerHashKv>) override;
  void resolve(const std::string& url, Duration, Callback<std::string> done) override;
  void stop() override {}
};

}  // namespace truss::server
