#pragma once

#include <absl/functional/any_invocable.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "truss/common/bytes.h"
#include "truss/common/error.h"
#include "truss/net/call.h"
#include "wire_scan.h"

namespace truss::api {

/// What a service may know of a call, whether it came as gRPC or through the gateway.
struct CallInfo {
  std::string token;               ///< of the auth service; empty: none given
  std::string client_api_version;  ///< of the client, for metrics; empty: not given
  bool require_leader = false;
  bool from_gateway = false;
};

/// Takes the encoded response or the error; runs once, on any thread.
using Done = absl::AnyInvocable<void(Result<SharedBytes>)>;

/// The sending side of a streaming call: a gRPC stream, or JSON lines of the gateway.
/// Thread: any; messages of one thread keep their order.
class StreamPort {
 public:
  virtual ~StreamPort() = default;
  /// Queues a message; returns the bytes not yet handed to the kernel.
  virtual std::size_t send(SharedBytes message) = 0;
  virtual std::size_t queued_bytes() const = 0;
  /// Ends the stream; code kOk is success. The first call counts.
  virtual void finish(Error status) = 0;
  virtual void pause_receiving(bool paused) = 0;
  virtual bool cancelled() const = 0;
};

/// A unary method. `request` is the canonical encoding of the request message.
using UnaryMethod = std::function<void(const CallInfo&, SharedBytes request, Done)>;
/// A streaming method: makes the handler of one call, whose on_message gets canonical encodings.
using StreamMethod = std::function<std::shared_ptr<net::StreamHandler>(
    const CallInfo&, std::shared_ptr<StreamPort>)>;

/// Counts of one method, as go-grpc-prometheus keeps them. Thread: any.
struct MethodCounters {
  std::atomic<std::uint64_t> started{0};
  std::atomic<std::uint64_t> received{0};
  std::atomic<std::uint64_t> sent{0};
  std::atomic<std::uint64_t> received_bytes{0};  // of messages, without their framing
  std::atomic<std::uint64_t> sent_bytes{0};
  std::array<std::atomic<std::uint64_t>, 17> handled{};  // by gRPC code

  void count_received(std::size_t bytes) {
    received.fetch_add(1, std::memory_order_relaxed);
    received_bytes.fetch_add(bytes, std::memory_order_relaxed);
  }
  void count_sent(std::size_t bytes) {
    sent.fetch_add(1, std::memory_order_relaxed);
    sent_bytes.fetch_add(bytes, std::memory_order_relaxed);
  }
  void count_handled(Code code) {
    const auto i = static_cast<std::size_t>(code);
    ++handled[i < handled.size() ? i : static_cast<std::size_t>(Code::kUnknown)];
  }
};

/// One method of the API.
struct Method {
  std::string service;  ///< `etcdserverpb.KV`
  std::string name;     ///< `Put`
  bool client_streaming = false;
  bool server_streaming = false;
  bool for_learner = false;  ///< a learner serves it, too
  const google::protobuf::Descriptor* request = nullptr;
  const google::protobuf::Descriptor* response = nullptr;
  const WireSchema* schema = nullptr;  ///< of the request
  UnaryMethod unary;
  StreamMethod stream;
  mutable MethodCounters counters;

  std::string path() const { return "/" + service + "/" + name; }
  bool streaming() const { return client_streaming || server_streaming; }
};

/// Every method served, by path. Filled at start, then constant.
class MethodTable {
 public:
  /// Each is declared in the .proto texts; `path` is `/etcdserverpb.KV/Put`.
  void add_unary(std::string_view path, UnaryMethod method);
  void add_stream(std::string_view path, StreamMethod method);
  /// Marks a method that a learner serves.
  void allow_learner(std::string_view path);
  /// Null if there is no such method.
  const Method* find(std::string_view path) const;
  const std::map<std::string, std::unique_ptr<Method>, std::less<>>& all() const {
    return methods_;
  }

 private:
  Method& add(std::string_view path);

  WireSchemas schemas_;
  std::map<std::string, std::unique_ptr<Method>, std::less<>> methods_;
};

}  // namespace truss::api
