#pragma once

#include "context.h"
#include "method.h"

namespace truss::api {

/// etcdserverpb.Watch. Source: server/etcdserver/api/v3rpc/watch.go.
class WatchService {
 public:
  explicit WatchService(Context& context) : context_(context) {}
  void register_methods(MethodTable& table);

 private:
  Context& context_;
};

}  // namespace truss::api
