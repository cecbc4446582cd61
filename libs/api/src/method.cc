#include "method.h"

#include <google/protobuf/descriptor.h>

#include "truss/common/check.h"
#include "truss/proto/health.pb.h"
#include "truss/proto/rpc.pb.h"

namespace truss::api {
namespace {

const google::protobuf::MethodDescriptor* find_descriptor(const std::string& service,
                                                          const std::string& name) {
  // Naming a type of each file makes sure that its descriptors are linked in.
  etcdserverpb::ResponseHeader::descriptor();
  grpc::health::v1::HealthCheckRequest::descriptor();
  const auto* pool = google::protobuf::DescriptorPool::generated_pool();
  return pool->FindMethodByName(service + "." + name);
}

}  // namespace

Method& MethodTable::add(std::string_view path) {
  const auto slash = path.find('/', 1);
  TRUSS_CHECK(path.starts_with('/') && slash != std::string_view::npos, path);
  auto method = std::make_unique<Method>();
  method->service = path.substr(1, slash - 1);
  method->name = path.substr(slash + 1);
  const auto* descriptor = find_descriptor(method->service, method->name);
  TRUSS_CHECK(descriptor != nullptr, path);
  method->client_streaming = descriptor->client_streaming();
  method->server_streaming = descriptor->server_streaming();
  method->request = descriptor->input_type();
  method->response = descriptor->output_type();
  method->schema = &schemas_.of(method->request);
  auto& slot = methods_[std::string(path)];
  TRUSS_CHECK(slot == nullptr, path);
  slot = std::move(method);
  return *slot;
}

void MethodTable::add_unary(std::string_view path, UnaryMethod method) {
  Method& slot = add(path);
  TRUSS_CHECK(!slot.streaming(), path);
  slot.unary = std::move(method);
}

void MethodTable::add_stream(std::string_view path, StreamMethod method) {
  Method& slot = add(path);
  TRUSS_CHECK(slot.streaming(), path);
  slot.stream = std::move(method);
}

void MethodTable::allow_learner(std::string_view path) {
  const auto it = methods_.find(path);
  TRUSS_CHECK(it != methods_.end(), path);
  it->second->for_learner = true;
}

const Method* MethodTable::find(std::string_view path) const {
  const auto it = methods_.find(path);
  return it == methods_.end() ? nullptr : it->second.get();
}

}  // namespace truss::api
