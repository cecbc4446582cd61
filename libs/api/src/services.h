#pragma once

#include <memory>

#include "auth_service.h"
#include "cluster_service.h"
#include "context.h"
#include "dispatcher.h"
#include "health_service.h"
#include "kv_service.h"
#include "lease_service.h"
#include "maintenance_service.h"
#include "method.h"
#include "watch_service.h"

namespace truss::api {

/// Every service with its threads, in start order: the API without any network.
struct Services {
  Services(server::Server& server, Runtime& runtime, Logger& logger, Options given);
  ~Services() { stop(); }
  Services(const Services&) = delete;
  Services& operator=(const Services&) = delete;
  /// Ends the threads. Idempotent.
  void stop();

  Options options;
  std::unique_ptr<Executor> reads;
  std::unique_ptr<Executor> watches;
  std::unique_ptr<Executor> bulk;
  Context context;
  KvService kv{context};
  WatchService watch{context};
  LeaseService lease{context};
  ClusterService cluster{context};
  MaintenanceService maintenance{context};
  AuthService auth{context};
  HealthService health;
  MethodTable methods;
  Dispatcher dispatcher{context, methods};
};

}  // namespace truss::api
