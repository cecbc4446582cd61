#include "truss/api/api.h"

#include "auth_service.h"
#include "cluster_service.h"
#include "context.h"
#include "dispatcher.h"
#include "gateway.h"
#include "health_service.h"
#include "http_endpoints.h"
#include "kv_service.h"
#include "lease_service.h"
#include "maintenance_service.h"
#include "method.h"
#include "watch_service.h"

namespace truss::api {
namespace {

// A gRPC stream as the services see it.
class GrpcPort final : public StreamPort {
 public:
  explicit GrpcPort(net::ServerStream stream) : stream_(std::move(stream)) {}
  std::size_t send(SharedBytes message) override { return stream_.send(std::move(message)); }
  std::size_t queued_bytes() const override { return stream_.queued_bytes(); }
  void finish(Error status) override { stream_.finish(std::move(status)); }
  void pause_receiving(bool paused) override { stream_.pause_receiving(paused); }
  bool cancelled() const override { return stream_.cancelled(); }

 private:
  net::ServerStream stream_;
};

}  // namespace

/// Everything the API owns, in start order.
struct Api::Impl {
  Impl(server::Server& server, Runtime& runtime, Logger& logger, Options given)
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

  void install_grpc(net::Server& net);

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
  Gateway gateway{context, dispatcher};
  HttpEndpoints http{context, dispatcher};
};

void Api::Impl::install_grpc(net::Server& net) {
  for (const auto& [path, entry] : methods.all()) {
    const Method& method = *entry;
    if (method.streaming()) {
      net.add_stream(path, [this, &method](net::CallContext call, net::ServerStream stream) {
        return dispatcher.open(method, call_info(call, context.level()),
                               std::make_shared<GrpcPort>(std::move(stream)));
      });
      continue;
    }
    net.add_unary(
        path, [this, &method](net::CallContext call, SharedBytes request, net::UnaryReply reply) {
          dispatcher.call(method, call_info(call, context.level()), std::move(request),
                          [reply = std::move(reply)](Result<SharedBytes> answer) mutable {
                            reply.finish(std::move(answer));
                          });
        });
  }
}

Api::Api(server::Server& server, Runtime& runtime, Logger& logger, Options options)
    : impl_(std::make_unique<Impl>(server, runtime, logger, std::move(options))) {}

Api::~Api() { stop(); }

void Api::install(net::Server& net) {
  impl_->install_grpc(net);
  if (impl_->options.grpc_gateway) impl_->gateway.install(net);
  impl_->http.install(net);
}

void Api::install_metrics(net::Server& net) { impl_->http.install_metrics(net); }

void Api::stop() {
  impl_->bulk->stop();
  impl_->watches->stop();
  impl_->reads->stop();
}

}  // namespace truss::api
