#include "dispatcher.h"

#include <google/protobuf/message.h>

#include "api_errors.h"
#include "proto_bytes.h"
#include "truss/common/text.h"

namespace truss::api {
namespace {

constexpr std::size_t kMaxClientVersions = 256;

Unexpected refuse(Error error) { return Unexpected(std::move(error)); }

// Scans incoming messages and counts on behalf of a service's own handler.
class CheckedStream final : public net::StreamHandler {
 public:
  CheckedStream(const Method& method, std::shared_ptr<StreamPort> port,
                std::shared_ptr<net::StreamHandler> inner)
      : method_(method), port_(std::move(port)), inner_(std::move(inner)) {}

  void on_message(SharedBytes message) override {
    method_.counters.count_received(message.size());
    auto canonical = canonical_request(method_, std::move(message));
    if (canonical) return inner_->on_message(*std::move(canonical));
    Error error = std::move(canonical).error();
    error.message.insert(0, "grpc: failed to unmarshal the received message ");
    port_->finish(std::move(error));
  }
  void on_half_close() override { inner_->on_half_close(); }
  void on_writable() override { inner_->on_writable(); }
  void on_done(const Error& why) override { inner_->on_done(why); }

 private:
  const Method& method_;
  std::shared_ptr<StreamPort> port_;
  std::shared_ptr<net::StreamHandler> inner_;
};

class CountingPort final : public StreamPort {
 public:
  CountingPort(const Method& method, std::shared_ptr<StreamPort> inner)
      : method_(method), inner_(std::move(inner)) {}
  std::size_t send(SharedBytes message) override {
    method_.counters.count_sent(message.size());
    return inner_->send(std::move(message));
  }
  std::size_t queued_bytes() const override { return inner_->queued_bytes(); }
  void finish(Error status) override {
    if (!finished_.exchange(true)) method_.counters.count_handled(status.code);
    inner_->finish(std::move(status));
  }
  void pause_receiving(bool paused) override { inner_->pause_receiving(paused); }
  bool cancelled() const override { return inner_->cancelled(); }

 private:
  const Method& method_;
  std::shared_ptr<StreamPort> inner_;
  std::atomic<bool> finished_{false};
};

}  // namespace

Result<SharedBytes> canonical_request(const Method& method, SharedBytes bytes) {
  TRUSS_ASSIGN(const bool canonical, method.schema->scan(bytes.view()));
  if (canonical) return bytes;
  const auto message = new_message(*method.request);
  if (!message->ParseFromArray(bytes.view().data(), static_cast<int>(bytes.size()))) {
    return fail(Code::kInternal, "proto: cannot parse invalid wire-format data");
  }
  message->DiscardUnknownFields();
  return serialize(*message);
}

CallInfo call_info(const net::CallContext& call, server::CompatLevel level) {
  CallInfo info;
  std::string_view token = call.metadata("token");
  if (token.empty()) token = call.metadata("authorization");
  if (level >= server::CompatLevel::k35 && token.starts_with("Bearer ")) token.remove_prefix(7);
  info.token = token;
  info.client_api_version = call.metadata("client-api-version");
  info.require_leader = call.metadata("hasleader") == "true";
  return info;
}

Dispatcher::Dispatcher(Context& context, const MethodTable& methods)
    : context_(context), methods_(methods) {
  context.server.on_leader_lost([this] { context_.watches.post([this] { leader_lost(); }); });
}

void Dispatcher::keep_for_leader(const std::shared_ptr<StreamPort>& port) {
  const std::lock_guard lock(mutex_);
  if (need_leader_.size() >= prune_at_) {
    std::erase_if(need_leader_, [](const auto& weak) { return weak.expired(); });
    prune_at_ = std::max<std::size_t>(64, 2 * need_leader_.size());
  }
  need_leader_.push_back(port);
}

void Dispatcher::leader_lost() {
  std::vector<std::weak_ptr<StreamPort>> ports;
  {
    const std::lock_guard lock(mutex_);
    ports.swap(need_leader_);
  }
  for (const auto& weak : ports) {
    if (const auto port = weak.lock()) port->finish(server::errors::no_leader());
  }
}

Result<> Dispatcher::admit(const Method& method, const CallInfo& info) {
  if (!valid_utf8(info.client_api_version) && context_.level() >= server::CompatLevel::k36) {
    return refuse(errors::invalid_client_api_version());
  }
  count_client(method, info);
  if (!method.for_learner && context_.is_learner()) {
    return refuse(learner_refusal(context_));
  }
  if (info.require_leader && context_.server.status().leader == raft::kNoNode) {
    return refuse(errors::no_leader());
  }
  return {};
}

void Dispatcher::count_client(const Method& method, const CallInfo& info) {
  const char* type = method.streaming() ? "stream" : "unary";
  const std::string version = info.client_api_version.empty() ? "unknown" : info.client_api_version;
  const std::lock_guard lock(mutex_);
  const auto it = clients_.find({type, version});
  if (it != clients_.end()) {
    ++it->second;
  } else {  // the text is the client's: bound what it can make us keep
    ++clients_[{type, clients_.size() < kMaxClientVersions ? version : "other"}];
  }
}

void Dispatcher::call(const Method& method, const CallInfo& info, SharedBytes request, Done done) {
  ++method.counters.started;
  method.counters.count_received(request.size());
  Done counted = [&method, done = std::move(done)](Result<SharedBytes> result) mutable {
    if (result) method.counters.count_sent(result->size());
    method.counters.count_handled(result ? Code::kOk : result.error().code);
    done(std::move(result));
  };
  auto canonical = canonical_request(method, std::move(request));
  if (!canonical) {
    Error error = std::move(canonical).error();
    error.message.insert(0, "grpc: error unmarshalling request: ");
    return counted(refuse(std::move(error)));
  }
  if (auto admitted = admit(method, info); !admitted) {
    return counted(refuse(std::move(admitted).error()));
  }
  method.unary(info, *std::move(canonical), std::move(counted));
}

std::shared_ptr<net::StreamHandler> Dispatcher::open(const Method& method, const CallInfo& info,
                                                     std::shared_ptr<StreamPort> port) {
  ++method.counters.started;
  auto counting = std::make_shared<CountingPort>(method, std::move(port));
  if (auto admitted = admit(method, info); !admitted) {
    counting->finish(std::move(admitted).error());
    return nullptr;
  }
  if (info.require_leader) keep_for_leader(counting);
  auto inner = method.stream(info, counting);
  if (inner == nullptr) return nullptr;
  return std::make_shared<CheckedStream>(method, counting, std::move(inner));
}

std::map<std::pair<std::string, std::string>, std::uint64_t> Dispatcher::client_requests() const {
  const std::lock_guard lock(mutex_);
  return clients_;
}

}  // namespace truss::api
