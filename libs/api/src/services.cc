#include "services.h"

namespace truss::api {

Services::Services(server::Server& server, Runtime& runtime, Logger& logger, Options given)
    : options(std::move(given)),
      reads(runtime.make_executor("api-read")),
      watches(runtime.make_executor("api-watch")),
      bulk(runtime.make_executor("api-bulk")),
      context{server, options, runtime.clock(), logger, *reads, *watches, *bulk} {
  kv.register_methods(methods);
  watch.register_methods(methods);
  lease.register_methods(methods);
  cluster.register_methods(methods);
  maintenance.register_methods(methods);
  auth.register_methods(methods);
  health.register_methods(methods);
}

void Services::stop() {
  bulk->stop();
  watches->stop();
  reads->stop();
}

}  // namespace truss::api
