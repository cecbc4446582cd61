#pragma once

#include "context.h"
#include "method.h"

namespace truss::api {

/// etcdserverpb.KV. Source: server/etcdserver/api/v3rpc/key.go, server/etcdserver/v3_server.go.
class KvService {
 public:
  explicit KvService(Context& context) : context_(context) {}
  void register_methods(MethodTable& table);

 private:
  void range(const CallInfo& info, SharedBytes request, Done done);
  void put(const CallInfo& info, SharedBytes request, Done done);
  void delete_range(const CallInfo& info, SharedBytes request, Done done);
  void txn(const CallInfo& info, SharedBytes request, Done done);
  void compact(const CallInfo& info, SharedBytes request, Done done);

  bool strict_sort() const { return context_.level() >= server::CompatLevel::k36; }
  /// Runs `read` at once if `serializable`, else on the read executor after a read index.
  void when_readable(bool serializable, Done done, absl::AnyInvocable<void(Done)> read);
  void read_range(const mvcc::RangeRequest& range, Done& done);
  void propose(server::Op op, SharedBytes body, Done done);

  Context& context_;
};

/// Encodes what applying a proposal gave: the result's own message, or a bare header.
SharedBytes encode_applied(const Context& context, const server::ApplyResponse& applied);

}  // namespace truss::api
