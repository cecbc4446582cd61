#include "truss/api/api.h"

#include "gateway.h"
#include "http_endpoints.h"
#include "services.h"

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
  Impl(server::Server& server, Runtime& runtime, Logger& logger, Options options)
      : services(server, runtime, logger, std::move(options)) {}

  void install_grpc(net::Server& net);

  Services services;
  Gateway gateway{services.context, services.dispatcher};
  HttpEndpoints http{services.context, services.dispatcher};
};

void Api::Impl::install_grpc(net::Server& net) {
  Dispatcher& dispatcher = services.dispatcher;
  const Context& context = services.context;
  for (const auto& [path, entry] : services.methods.all()) {
    const Method& method = *entry;
    if (method.streaming()) {
      net.add_stream(
          path, [&dispatcher, &context, &method](net::CallContext call, net::ServerStream stream) {
            return dispatcher.open(method, call_info(call, context.level()),
                                   std::make_shared<GrpcPort>(std::move(stream)));
          });
      continue;
    }
    net.add_unary(path, [&dispatcher, &context, &method](net::CallContext call, SharedBytes request,
                                                         net::UnaryReply reply) {
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
  if (impl_->services.options.grpc_gateway) impl_->gateway.install(net);
  impl_->http.install(net);
}

void Api::install_metrics(net::Server& net) { impl_->http.install_metrics(net); }

void Api::stop() { impl_->services.stop(); }

}  // namespace truss::api
