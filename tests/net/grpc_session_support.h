#pragma once

// The server session against a recording client, without sockets.
#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support.h"
#include "truss/net/grpc_frame.h"

namespace truss::net::testing {

inline constexpr char kEcho[] = "/test.Echo/Unary";
inline constexpr char kHold[] = "/test.Echo/Hold";
inline constexpr char kStream[] = "/test.Echo/Stream";

inline std::string framed(const std::string& message) {
  GrpcOutBody body;
  body.push(SharedBytes::copy(message));
  std::string out;
  body.write(body.size_bytes(), out);
  return out;
}

/// Keeps what it sees; its stream is at the test's command.
class Probe final : public StreamHandler {
 public:
  Probe(CallContext context, ServerStream s) : call(std::move(context)), stream(std::move(s)) {}
  void on_message(SharedBytes message) override { messages.emplace_back(message.view()); }
  void on_half_close() override { half_closed = true; }
  void on_writable() override { ++writable; }
  void on_done(const Error& why) override { done = why; }

  CallContext call;
  ServerStream stream;
  std::vector<std::string> messages;
  bool half_closed = false;
  int writable = 0;
  std::optional<Error> done;
};

/// A pair whose server echoes, holds replies back, and gives out its streams.
struct Echo : Pair {
  explicit Echo(ServerOptions server_options = {}, std::uint32_t client_window = 1u << 20)
      : Pair(std::move(server_options), client_window) {
    table.add_method(kEcho, {[this](CallContext call, SharedBytes request, UnaryReply reply) {
                               last_call = call;
                               reply.finish(std::move(request));
                             },
                             nullptr});
    table.add_method(kHold, {[this](CallContext call, SharedBytes, UnaryReply reply) {
                               last_call = call;
                               held.push_back(std::move(reply));
                             },
                             nullptr});
    table.add_method(kStream, {nullptr, [this](CallContext call, ServerStream stream) {
                                 probe =
                                     std::make_shared<Probe>(std::move(call), std::move(stream));
                                 return probe;
                               }});
  }
  ~Echo() { held.clear(); }

  CallContext last_call;
  std::vector<UnaryReply> held;
  std::shared_ptr<Probe> probe;
};

using Fields = std::vector<std::pair<std::string, std::string>>;

}  // namespace truss::net::testing
