#pragma once

// An HTTP/1.x server session with a few routes, without sockets.
#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "http1_server_session.h"
#include "support.h"

namespace truss::net::testing {

inline const std::string kDate = "Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n";

struct Web {
  Web() {
    table.add_route({.path = "/whole", .handler = [](HttpRequest request, HttpReply reply) {
                       reply.send(200, {{"Content-Type", "text/plain"}},
                                  request.method + " " + request.query + " " + request.body +
                                      (request.stalled ? " stalled" : ""));
                     }});
    table.add_route({.path = "/tree/", .handler = [](HttpRequest request, HttpReply reply) {
                       reply.send(200, {}, "tree " + request.path);
                     }});
    table.add_route(
        {.path = "/small",
         .handler = [](HttpRequest request,
                       HttpReply reply) { reply.send(request.oversized ? 413 : 200, {}, ""); },
         .max_body_bytes = 4});
    table.add_route({.path = "/hold", .handler = [this](HttpRequest, HttpReply reply) {
                       held = reply;
                       reply.on_disconnect([this] { ++gone; });
                       reply.on_writable([this] { ++writable; });
                     }});
    table.add_route({.path = "/body",
                     .handler =
                         [this](HttpRequest, HttpReply reply) {
                           held = reply;
                           reply.on_body([this](ByteView piece, bool last) {
                             body += std::string(piece) + (last ? "$" : "|");
                           });
                         },
                     .stream_body = true});
  }
  ~Web() {
    if (session) session->lost({Code::kCanceled, "over"});
    mailbox->run_all();
  }

  Http1ServerSession& server() {
    if (!session) {
      session =
          std::make_unique<Http1ServerSession>(table, options, clock, mailbox, "1.2.3.4:5", owner);
    }
    return *session;
  }
  /// Everything that is sent in answer to `bytes`.
  std::string say(ByteView bytes) {
    REQUIRE(server().receive(bytes));
    return hear();
  }
  std::string hear() {
    mailbox->run_all();
    std::string out;
    server().pull(out, 1u << 20);
    server().wrote(out.size());
    return out;
  }

  ManualClock clock;
  std::shared_ptr<QueueMailbox> mailbox = std::make_shared<QueueMailbox>();
  NoOwner owner;
  ServiceTable table;
  ServerOptions options;
  HttpReply held;
  std::string body;
  int gone = 0;
  int writable = 0;
  std::unique_ptr<Http1ServerSession> session;
};

inline std::string ok(const std::string& type, const std::string& text,
                      const std::string& more = "") {
  return "HTTP/1.1 200 OK\r\n" + type + kDate + more +
         "Content-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text;
}

}  // namespace truss::net::testing
