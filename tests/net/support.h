#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "grpc_server_session.h"
#include "mailbox.h"
#include "service_table.h"
#include "session.h"
#include "truss/common/clock.h"
#include "truss/net/http2_session.h"
#include "truss/net/server.h"

namespace truss::net::testing {

class ManualClock final : public Clock {
 public:
  MonoTime now() const override { return now_; }
  WallTime wall() const override { return WallTime(std::chrono::seconds(1'700'000'000)); }
  void advance(Duration by) { now_ += by; }

 private:
  MonoTime now_{std::chrono::seconds(1000)};
};

/// Keeps commands until they are asked for: "another thread" under the test's control.
class QueueMailbox final : public Mailbox {
 public:
  void push(Command command) override { queue_.push_back(std::move(command)); }
  bool run_all() {
    const bool any = !queue_.empty();
    while (!queue_.empty()) {
      Command command = std::move(queue_.front());
      queue_.pop_front();
      command.target->run(command);
    }
    return any;
  }

 private:
  std::deque<Command> queue_;
};

class NoOwner final : public SessionOwner {
 public:
  void session_changed() override {}
};

/// What a client saw of one stream.
struct Answer final : Http2Stream {
  std::vector<std::pair<std::string, std::string>> fields;  ///< header and trailers, in order
  std::string data;
  bool ended = false;
  std::optional<Http2Code> closed;

  std::string field(const std::string& name) const {
    for (const auto& [key, value] : fields) {
      if (key == name) return value;
    }
    return "<none>";
  }
  std::string status() const { return field("grpc-status") + " " + field("grpc-message"); }
};

/// An HTTP/2 client that records; gRPC fields are the test's business.
class RecordingClient final : public Http2Handler {
 public:
  explicit RecordingClient(std::uint32_t stream_window = 1u << 20)
      : session({.server = false, .stream_window_bytes = stream_window}, *this) {}

  Answer& call(const std::string& path, const std::string& body, std::vector<HeaderField> more = {},
               bool end = true) {
    std::vector<HeaderField> fields = {{":method", "POST"}, {":scheme", "http"},
                                       {":path", path},     {":authority", "test"},
                                       {"te", "trailers"},  {"content-type", "application/grpc"}};
    fields.insert(fields.end(), more.begin(), more.end());
    return request(fields, body, end);
  }
  /// `body` must be framed messages: each is pushed by its own prefix.
  Answer& request(const std::vector<HeaderField>& fields, const std::string& body, bool end) {
    answers.push_back(std::make_unique<Answer>());
    Answer& answer = *answers.back();
    session.request(answer, fields);
    if (!body.empty()) answer.out().push(SharedBytes::copy(body));
    if (end) session.end_body(answer, false);
    return answer;
  }

  Http2Session session;
  std::vector<std::unique_ptr<Answer>> answers;
  std::optional<Http2Code> goaway;
  std::string goaway_text;
  int pings_acked = 0;
  int pings_received = 0;

 private:
  Http2Stream* on_request() override { return nullptr; }
  void on_header(Http2Stream& s, std::string_view name, std::string_view value) override {
    static_cast<Answer&>(s).fields.emplace_back(name, value);
  }
  void on_headers_complete(Http2Stream&, bool) override {}
  void on_data(Http2Stream& s, ByteView bytes) override {
    static_cast<Answer&>(s).data.append(bytes);
    if (auto_consume) session.consume(s, bytes.size());
  }
  void on_remote_end(Http2Stream& s) override { static_cast<Answer&>(s).ended = true; }
  void on_closed(Http2Stream& s, Http2Code code) override { static_cast<Answer&>(s).closed = code; }
  void on_ping(bool ack, std::uint64_t) override { ++(ack ? pings_acked : pings_received); }
  void on_goaway(std::int32_t, Http2Code code, ByteView debug) override {
    goaway = code;
    goaway_text = debug;
  }

 public:
  bool auto_consume = true;
};

/// A server session and a client, joined by memory.
class Pair {
 public:
  explicit Pair(ServerOptions server_options = {}, std::uint32_t client_window = 1u << 20)
      : options(std::move(server_options)), client(client_window) {}
  ~Pair() {
    if (server) server->lost({Code::kCanceled, "test over"});
    mailbox->run_all();
  }

  GrpcServerSession& session() {
    if (!server) {
      server =
          std::make_unique<GrpcServerSession>(table, options, clock, mailbox, "1.2.3.4:5", owner);
    }
    return *server;
  }
  /// Carries bytes to and fro until nothing moves.
  void pump() {
    for (bool moved = true; moved;) {
      moved = mailbox->run_all();
      std::string bytes;
      client.session.pull(bytes, 1u << 20);
      moved |= !bytes.empty();
      if (!session().receive(bytes)) failed = true;
      mailbox->run_all();
      bytes.clear();
      session().pull(bytes, 1u << 20);
      moved |= !bytes.empty();
      (void)client.session.receive(bytes);
    }
  }

  ManualClock clock;
  std::shared_ptr<QueueMailbox> mailbox = std::make_shared<QueueMailbox>();
  NoOwner owner;
  ServiceTable table;
  ServerOptions options;
  RecordingClient client;
  std::unique_ptr<GrpcServerSession> server;
  bool failed = false;
};

}  // namespace truss::net::testing
