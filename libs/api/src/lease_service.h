#pragma once

#include "context.h"
#include "method.h"

namespace truss::api {

/// etcdserverpb.Lease. Source: server/etcdserver/api/v3rpc/lease.go.
class LeaseService {
 public:
  explicit LeaseService(Context& context) : context_(context) {}
  void register_methods(MethodTable& table);

 private:
  void grant(ByteView request, Done done);
  void revoke(ByteView request, Done done);
  void time_to_live(ByteView request, Done done);
  void leases(Done done);

  Context& context_;
};

}  // namespace truss::api
