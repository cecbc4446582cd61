#pragma once

#include <absl/functional/any_invocable.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "truss/common/clock.h"
#include "truss/common/error.h"
#include "truss/common/executor.h"
#include "truss/net/io_thread.h"
#include "truss/peer/bodies.h"
#include "truss/peer/types.h"

namespace truss::peer {

/// The short questions that a member asks another one at one of its peer URLs (`http://h:2380`).
///
/// Each call answers once, within `timeout`, on the net thread (or inside the call); a callback
/// must only post. Nothing is retried.
///
/// Errors: the HTTP status as a code, and the body (less one newline at its end) as the message:
/// 400 kInvalidArgument, 403 kPermissionDenied, 404 kNotFound, 408 kDeadlineExceeded, 410
/// kOutOfRange, 412 kFailedPrecondition, any other kInternal. kUnavailable: no connection, or it
/// broke, or no answer in time. kUnknown: 200, but with a body or header that can't be read.
/// kCanceled: stop().
///
/// Thread: any.
class Queries {
 public:
  template <class T>
  using Callback = absl::AnyInvocable<void(Result<T>)>;

  /// What `GET /members` says, and the header with the cluster's id.
  struct Members {
    ClusterId cluster;
    std::vector<MemberInfo> members;
  };

  Queries(net::IoThread& thread, Runtime& runtime);
  ~Queries();  ///< stop()
  Queries(const Queries&) = delete;
  Queries& operator=(const Queries&) = delete;

  void members(const std::string& url, Duration timeout, Callback<Members> done);
  void version(const std::string& url, Duration timeout, Callback<Versions> done);
  void downgrade_enabled(const std::string& url, Duration timeout, Callback<bool> done);
  /// The TTL in seconds after the renewal.
  void renew_lease(const std::string& url, std::int64_t id, Duration timeout,
                   Callback<std::int64_t> done);
  void lease_time_to_live(const std::string& url, std::int64_t id, bool keys, Duration timeout,
                          Callback<LeaseTimeToLive> done);
  void promote(const std::string& url, raft::NodeId id, Duration timeout,
               Callback<std::vector<MemberInfo>> done);
  void hash_kv(const std::string& url, ClusterId cluster, std::int64_t revision, Duration timeout,
               Callback<HashKv> done);
  /// The URL with its host as a numeric address, IPv4 before IPv6. A numeric host stays.
  void resolve(const std::string& url, Duration timeout, Callback<std::string> done);

  /// Open calls answer kCanceled, and so does every later one; no callback starts after it
  /// returned. Idempotent. Not from a callback.
  void stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace truss::peer
