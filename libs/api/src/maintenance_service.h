#pragma once

#include "context.h"
#include "method.h"

namespace truss::api {

/// etcdserverpb.Maintenance. Source: server/etcdserver/api/v3rpc/maintenance.go.
class MaintenanceService {
 public:
  explicit MaintenanceService(Context& context) : context_(context) {}
  void register_methods(MethodTable& table);

 private:
  void status(Done done);
  void alarm(SharedBytes request, Done done);
  void defragment(Done done);
  void hash(Done done);
  void hash_kv(SharedBytes request, Done done);
  void move_leader(SharedBytes request, Done done);
  void downgrade(SharedBytes request, Done done);

  Context& context_;
};

}  // namespace truss::api
