// Arbitrary bytes against the HTTP/1.x server session and the sniffer before it; cutting the input
// differently must not change what is said.
#include <cstdint>
#include <memory>
#include <string>

#include "../../net/support.h"
#include "http1_server_session.h"
#include "truss/common/check.h"
#include "truss/net/protocol_sniffer.h"

namespace {

using namespace truss;       // NOLINT: one file
using namespace truss::net;  // NOLINT

std::string serve(ByteView bytes, std::size_t cut) {
  testing::ManualClock clock;
  const auto mailbox = std::make_shared<testing::QueueMailbox>();
  testing::NoOwner owner;
  ServerOptions options;
  options.max_http_header_bytes = 1000;
  ServiceTable table;
  table.add_route({.path = "/whole",
                   .handler =
                       [](HttpRequest request, HttpReply reply) {
                         reply.send(200, {{"X", request.query_value("x")}}, request.body);
                       },
                   .max_body_bytes = 100});
  table.add_route({.path = "/stream/", .handler = [](HttpRequest request, HttpReply reply) {
                     reply.begin(200, {{"Y", request.path}});
                     reply.write(request.body);
                     reply.end({{"Z", "1"}});
                   }});
  table.add_route({.path = "/body",
                   .handler =
                       [](HttpRequest, HttpReply reply) {
                         auto all = std::make_shared<std::string>();
                         reply.on_body([reply, all](ByteView piece, bool last) mutable {
                           all->append(piece);
                           if (last) reply.send(200, {}, *all);
                         });
                       },
                   .stream_body = true});
  Http1ServerSession session(table, options, clock, mailbox, "p", owner);
  std::string out;
  // Both before any handler answers: an answer in the middle of a body rightly closes.
  (void)session.receive(bytes.substr(0, cut));
  (void)session.receive(bytes.substr(cut));
  mailbox->run_all();
  session.pull(out, 16u << 20);
  session.receive_end();
  session.lost({Code::kCanceled, "over"});
  mailbox->run_all();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(reinterpret_cast<const char*>(data), size);
  (void)sniff_protocol(bytes);
  const std::string whole = serve(bytes, size);
  TRUSS_CHECK(whole.size() <= 2000 + 300 * size, "output out of proportion");
  TRUSS_CHECK(serve(bytes, size / 2) == whole, "the cut shows in the output");
  return 0;
}
