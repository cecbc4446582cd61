#include <string>

#include "routes.h"
#include "truss/peer/probe.h"
#include "truss/peer/text.h"

// /raft, /raft/stream/ and /raft/probing. Source: etcd rafthttp/http.go.
namespace truss::peer {
namespace {

constexpr std::string_view kStreamPrefix = "/raft/stream/";

/// Go's handler panics after this answer, so the connection is cut without the last chunk. Never
/// 403: whoever gets it shuts down.
void refuse_processing(net::HttpReply& reply, const Identity& who) {
  net::Metadata headers = cluster_header(who);
  headers.emplace_back("Content-Type", "text/plain; charset=utf-8");
  headers.emplace_back("X-Content-Type-Options", "nosniff");
  reply.begin(500, std::move(headers));
  reply.write("error processing raft message\n");
  reply.abort();
}

void process(Transport::Impl& impl, const net::HttpRequest& request, raft::Message message,
             net::HttpReply reply) {
  Context& context = *impl.context;
  if (context.stopped || context.local == nullptr)
    return refuse_processing(reply, context.identity);
  impl.meet_stranger(request);
  if (message.to != context.identity.self || context.local->is_removed(message.from)) {
    return refuse_processing(reply, context.identity);
  }
  std::vector<raft::Message> one;
  one.push_back(std::move(message));
  context.deliver(one);
  reply.send(204, cluster_header(context.identity), {});
}

/// One POST /raft while its body comes in.
struct Posted {
  ImplPtr impl;
  net::HttpRequest request;
  net::HttpReply reply;
  std::string body;
  bool refused = false;

  void take(ByteView piece, bool last) {
    if (refused) return;
    if (body.size() + piece.size() > impl->context->options.max_post_bytes) {
      return refuse_reading();
    }
    body.append(piece);
    if (last) decode();
  }

  void refuse_reading() {
    if (refused) return;
    refused = true;
    body = {};
    refuse(reply, 400, "error reading raft message", cluster_header(impl->context->identity));
  }

  void decode() {
    auto message = raft::decode_message(body);
    if (!message) {
      return refuse(reply, 400, "error unmarshalling raft message",
                    cluster_header(impl->context->identity));
    }
    if (const auto link = impl->counts_of(message->from)) count(link->received_bytes, body.size());
    impl->post([request = std::move(request), message = std::move(*message),
                reply = reply](Transport::Impl& i) mutable {
      process(i, request, std::move(message), std::move(reply));
    });
  }
};

void post_raft(const ImplPtr& impl, net::HttpRequest request, net::HttpReply reply) {
  if (!check_method(request, reply, "POST")) return;
  const Identity& who = impl->context->identity;
  if (!pass_gate(request, reply, who, cluster_header(who))) return;
  auto posted = std::make_shared<Posted>(Posted{impl, std::move(request), reply, {}, false});
  reply.on_body([posted](ByteView piece, bool last) { posted->take(piece, last); });
  reply.on_stall([posted] { posted->refuse_reading(); });
}

void open_stream(const ImplPtr& impl, net::HttpRequest request, net::HttpReply reply) {
  if (!check_method(request, reply, "GET")) return;
  const Identity& who = impl->context->identity;
  const net::Metadata headers = stream_headers(who);
  if (!pass_gate(request, reply, who, headers)) return;
  const std::string_view rest = std::string_view(request.path).substr(kStreamPrefix.size());
  const std::size_t slash = rest.rfind('/');
  const std::string_view kind = rest.substr(0, slash);
  if (slash == std::string_view::npos || (kind != "message" && kind != "msgapp")) {
    return refuse(std::move(reply), 404, "invalid path", headers);
  }
  const auto from = parse_id(rest.substr(slash + 1));
  if (!from) return refuse(std::move(reply), 404, "invalid from", headers);
  const StreamKind stream = kind == "message" ? StreamKind::kMessage : StreamKind::kMsgApp;
  impl->post([from = raft::NodeId(*from), stream, request = std::move(request),
              reply = std::move(reply)](Transport::Impl& i) mutable {
    if (!i.serving.load()) return refuse(std::move(reply), 503, "stopping");
    i.attach(from, stream, request, std::move(reply));
  });
}

void probing(const ImplPtr& impl, const net::HttpRequest&, net::HttpReply reply) {
  reply.send(200, {{"Content-Type", "text/plain; charset=utf-8"}},
             probe_json(impl->context->clock.wall()));
}

}  // namespace

void install_raft_routes(net::Server& server, const ImplPtr& impl) {
  add_route(server, impl, {.path = "/raft", .handler = {}, .stream_body = true}, post_raft);
  add_route(server, impl, {.path = std::string(kStreamPrefix), .handler = {}}, open_stream);
  add_route(server, impl, {.path = "/raft/probing", .handler = {}}, probing);
}

}  // namespace truss::peer
