#pragma once

#include <absl/container/inlined_vector.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "mailbox.h"
#include "service_table.h"
#include "truss/net/call.h"
#include "truss/net/grpc_frame.h"
#include "truss/net/http2_session.h"

namespace truss::net {

class GrpcServerSession;

/// Request headers of one call, packed into one string.
class HeaderStore {
 public:
  void add(std::string_view name, std::string_view value);
  /// First value, or nullopt.
  std::optional<std::string_view> find(std::string_view name) const;
  std::vector<std::string_view> find_all(std::string_view name) const;

 private:
  struct Entry {
    std::uint32_t name_size;
    std::uint32_t value_offset;
    std::uint32_t value_size;
  };
  std::string_view name_of(const Entry& e) const {
    return std::string_view(bytes_).substr(e.value_offset - e.name_size, e.name_size);
  }
  std::string_view value_of(const Entry& e) const {
    return std::string_view(bytes_).substr(e.value_offset, e.value_size);
  }
  std::string bytes_;
  absl::InlinedVector<Entry, 4> entries_;
};

/// What the server itself needs of the request header.
struct RequestHead {
  bool is_post = false;
  bool is_grpc = false;
  bool reset = false;          ///< has a field that grpc-go resets the stream for
  bool complete = false;       ///< what comes now are the client's trailers
  std::string verb;            ///< unless POST
  std::string content_type;    ///< unless `application/grpc`
  std::string encoding;        ///< grpc-encoding
  std::optional<Error> error;  ///< the first malformed field
  std::size_t list_bytes = 0;
};

/// One gRPC call: stream, context and reply handle in one allocation.
///
/// Thread: `shared` from any thread; headers, path, peer and deadline don't change once the handler
/// has the call; the rest lives on the net thread.
struct CallState final : Http2Stream, CommandTarget, std::enable_shared_from_this<CallState> {
  CallState(std::shared_ptr<Mailbox> box, std::shared_ptr<const std::string> peer_name,
            GrpcServerSession& owner, std::size_t max_message_bytes, std::size_t high_water)
      : mailbox(std::move(box)),
        peer(std::move(peer_name)),
        high_water_bytes(high_water),
        session(&owner),
        deframer(max_message_bytes) {}

  void run(Command& command) override;
  /// Queues a command of this call from any thread.
  void push(CommandKind kind, SharedBytes bytes, std::unique_ptr<CommandExtra> extra);

  std::shared_ptr<Mailbox> mailbox;
  std::shared_ptr<const std::string> peer;
  std::size_t high_water_bytes;
  std::string path;
  HeaderStore headers;
  std::optional<MonoTime> deadline;

  // Shared between threads.
  std::atomic<bool> cancelled{false};
  std::atomic<bool> finished{false};    ///< the handler has given its answer
  std::atomic<bool> above_high{false};  ///< the sender was told to pause
  std::atomic<std::size_t> queued{0};   ///< bytes sent by the handler and not yet written

  // Net thread only.
  GrpcServerSession* session;  ///< null once the stream is over
  std::shared_ptr<CallState> self;
  const Method* method = nullptr;
  std::shared_ptr<StreamHandler> handler;
  GrpcDeframer deframer;
  std::string held;               ///< bytes received while paused
  std::size_t charged_bytes = 0;  ///< what its waiting messages weigh on the connection's account
  RequestHead head;
  bool dispatched = false;  ///< unary: the handler has the request
  bool headers_sent = false;
  bool answered = false;  ///< status is on its way; nothing more is read or sent
  bool paused = false;
  bool half_close_held = false;
  Error end_reason{Code::kCanceled, "context canceled"};  ///< for on_done if the stream dies
  std::unique_ptr<CommandExtra> end_status;               ///< null: OK without trailers
};

/// Every stream of a server's session is a call.
inline CallState& call_of(Http2Stream& stream) { return static_cast<CallState&>(stream); }

}  // namespace truss::net
