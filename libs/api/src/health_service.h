#pragma once

#include "context.h"
#include "method.h"

namespace truss::api {

/// grpc.health.v1.Health: the whole server (service "") is SERVING from the moment it takes calls.
class HealthService {
 public:
  void register_methods(MethodTable& table);
};

}  // namespace truss::api
