#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "context.h"
#include "method.h"

namespace truss::api {

/// Stands before every method: learner and leader gates, the strict scan of the request, counters.
/// Source: server/etcdserver/api/v3rpc/interceptor.go.
///
/// Thread: any.
class Dispatcher {
 public:
  Dispatcher(Context& context, const MethodTable& methods);

  /// Answers one unary call. `request` is what the client sent.
  void call(const Method& method, const CallInfo& info, SharedBytes request, Done done);
  /// Opens one streaming call. Null: refused, and `port` was finished.
  std::shared_ptr<net::StreamHandler> open(const Method& method, const CallInfo& info,
                                           std::shared_ptr<StreamPort> port);

  /// Requests seen, by {`unary` or `stream`, client API version}.
  std::map<std::pair<std::string, std::string>, std::uint64_t> client_requests() const;
  const MethodTable& methods() const { return methods_; }
  /// Ends every stream whose client wants to know when there is no leader. The server calls it.
  void leader_lost();

 private:
  Result<> admit(const Method& method, const CallInfo& info);
  void count_client(const Method& method, const CallInfo& info);
  void keep_for_leader(const std::shared_ptr<StreamPort>& port);

  Context& context_;
  const MethodTable& methods_;
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::uint64_t> clients_;
  std::vector<std::weak_ptr<StreamPort>> need_leader_;
  std::size_t prune_at_ = 64;  // of need_leader_
};

/// The canonical encoding of a request: `bytes` themselves where they already are, else decoded and
/// encoded again without unknown fields.
/// Errors: kInternal with the decoder's text alone.
Result<SharedBytes> canonical_request(const Method& method, SharedBytes bytes);

/// What etcd's gRPC layer makes of metadata.
CallInfo call_info(const net::CallContext& call, server::CompatLevel level);

}  // namespace truss::api
