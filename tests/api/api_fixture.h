#pragma once

#include <doctest/doctest.h>

#include <deque>
#include <optional>

#include "proto_bytes.h"
#include "services.h"
#include "sim_member.h"
#include "truss/proto/rpc.pb.h"

namespace truss::api {

namespace pb = etcdserverpb;

/// Collects what a stream sends.
class FakePort final : public StreamPort {
 public:
  std::size_t send(SharedBytes message) override {
    sent.push_back(std::move(message));
    return queued;
  }
  std::size_t queued_bytes() const override { return queued; }
  void finish(Error status) override {
    if (!finished) finished = std::move(status);
  }
  void pause_receiving(bool) override {}
  bool cancelled() const override { return false; }

  /// The oldest message not taken yet.
  template <class Message>
  std::optional<Message> take() {
    if (sent.empty()) return std::nullopt;
    auto out = parse<Message>(sent.front().view());
    sent.pop_front();
    return out;
  }

  std::deque<SharedBytes> sent;
  std::optional<Error> finished;
  std::size_t queued = 0;
};

/// A member in the simulator with the API over it, called without any network.
struct SimApi {
  explicit SimApi(server::CompatLevel level = server::CompatLevel::k34, Options options = {})
      : server(world, disk, config_of(level)) {
    REQUIRE_MESSAGE(server.started(), server.error());
    REQUIRE(server.run_until_ready());
    world.run_for(std::chrono::seconds(1));  // the cluster version is decided
    services.emplace(*server, server.member(), server.logger(), std::move(options));
  }
  ~SimApi() {
    for (const auto& handler : handlers) handler->on_done({Code::kCanceled, ""});
    world.run_for(std::chrono::milliseconds(10));
    services.reset();
  }

  static server::Config config_of(server::CompatLevel level) {
    auto config = server::testing::small_config();
    config.compat = level;
    return config;
  }

  /// Calls a unary method and waits for its answer.
  template <class Response, class Request>
  Result<Response> call(std::string_view path, const Request& request, CallInfo info = {}) {
    TRUSS_ASSIGN(const SharedBytes answer, call_bytes(path, serialize(request), std::move(info)));
    return parse<Response>(answer.view());
  }
  Result<SharedBytes> call_bytes(std::string_view path, SharedBytes request, CallInfo info = {}) {
    const Method* method = services->methods.find(path);
    REQUIRE(method != nullptr);
    auto answer = std::make_shared<std::optional<Result<SharedBytes>>>();
    services->dispatcher.call(*method, info, std::move(request),
                              [answer](Result<SharedBytes> r) { *answer = std::move(r); });
    REQUIRE(world.run_until([&] { return answer->has_value(); }, std::chrono::minutes(1)));
    return **answer;
  }

  std::shared_ptr<net::StreamHandler> open(std::string_view path, std::shared_ptr<FakePort> port,
                                           CallInfo info = {}) {
    const Method* method = services->methods.find(path);
    REQUIRE(method != nullptr);
    auto handler = services->dispatcher.open(*method, info, std::move(port));
    if (handler) handlers.push_back(handler);
    return handler;
  }
  void settle() { world.run_for(std::chrono::milliseconds(300)); }

  Result<pb::PutResponse> put(std::string key, std::string value, std::int64_t lease = 0) {
    pb::PutRequest request;
    request.set_key(std::move(key));
    request.set_value(std::move(value));
    request.set_lease(lease);
    return call<pb::PutResponse>("/etcdserverpb.KV/Put", request);
  }
  std::uint64_t committed() { return server->status().committed.value(); }

  server::testing::SimRuntime world{1};
  server::testing::SimFileSystem disk;
  server::testing::SimServer server;
  std::optional<Services> services;
  std::vector<std::shared_ptr<net::StreamHandler>> handlers;
};

}  // namespace truss::api
