#include "health_service.h"

#include "proto_bytes.h"
#include "truss/proto/health.pb.h"

namespace truss::api {
namespace {

namespace health_pb = grpc::health::v1;

SharedBytes encode_status(health_pb::HealthCheckResponse::ServingStatus status) {
  health_pb::HealthCheckResponse response;
  response.set_status(status);
  return serialize(response);
}

// Answers once and stays open: the status never changes while the server takes calls.
class HealthWatch final : public net::StreamHandler {
 public:
  explicit HealthWatch(std::shared_ptr<StreamPort> port) : port_(std::move(port)) {}
  void on_message(SharedBytes message) override {
    const auto r = parse<health_pb::HealthCheckRequest>(message.view());
    port_->send(encode_status(r.service().empty()
                                  ? health_pb::HealthCheckResponse::SERVING
                                  : health_pb::HealthCheckResponse::SERVICE_UNKNOWN));
  }

 private:
  std::shared_ptr<StreamPort> port_;
};

}  // namespace

void HealthService::register_methods(MethodTable& table) {
  table.add_unary("/grpc.health.v1.Health/Check",
                  [](const CallInfo&, SharedBytes request, Done done) {
                    const auto r = parse<health_pb::HealthCheckRequest>(request.view());
                    if (!r.service().empty()) return done(fail(Code::kNotFound, "unknown service"));
                    done(encode_status(health_pb::HealthCheckResponse::SERVING));
                  });
  table.add_stream("/grpc.health.v1.Health/Watch",
                   [](const CallInfo&, std::shared_ptr<StreamPort> port) {
                     return std::make_shared<HealthWatch>(std::move(port));
                   });
}

}  // namespace truss::api
