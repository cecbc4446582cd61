#include "member.h"

#include "peer_endpoints.h"
#include "sd_notify.h"
#include "signals.h"

namespace truss::member {
namespace {

constexpr Duration kPatience = std::chrono::milliseconds(300);

Result<> listen_all(net::Server& net, const std::vector<std::string>& urls,
                    net::Protocols protocols) {
  for (const std::string& url : urls) {
    TRUSS_ASSIGN(const std::string address, listen_address(url));
    TRUSS_TRY(net.listen({address, protocols}));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Member>> Member::start(Options options, Logger& logger) {
  std::unique_ptr<Member> member(new Member(std::move(options), logger));
  TRUSS_TRY(member->bind());
  TRUSS_TRY(member->start_server());
  member->server->on_removed([m = member.get()] {
    m->removed = true;
    raise_stop_signal();
  });
  member->server->on_ready([m = member.get()] { m->serve(); });
  return member;
}

Result<> Member::bind() {
  const auto make = [this] {
    return std::make_unique<net::Server>(options.net, runtime.clock(), logger);
  };
  peer_listeners = make();
  client_listeners = make();
  metrics_listeners = make();
  const bool http_apart = !options.listen_client_http_urls.empty();
  TRUSS_TRY(listen_all(*peer_listeners, options.listen_peer_urls, net::Protocols::kHttpOnly));
  TRUSS_TRY(listen_all(*client_listeners, options.listen_client_urls,
                       http_apart ? net::Protocols::kGrpcOnly : net::Protocols::kBoth));
  TRUSS_TRY(
      listen_all(*client_listeners, options.listen_client_http_urls, net::Protocols::kHttpOnly));
  return listen_all(*metrics_listeners, options.listen_metrics_urls, net::Protocols::kHttpOnly);
}

Result<> Member::start_server() {
  TRUSS_ASSIGN(server, server::Server::start(options.server,
                                             {runtime, files, random, logger, process, transport}));
  if (server->level() == server::CompatLevel::k34) {
    client_listeners->set_grpc_dialect(net::GrpcDialect::kGo126);
  }
  api = std::make_unique<api::Api>(*server, runtime, logger, options.api);
  install_peer_endpoints(*peer_listeners, *server);
  api->install(*client_listeners);
  api->install_metrics(*metrics_listeners);
  peer_listeners->start();
  metrics_listeners->start();
  return {};
}

void Member::serve() {
  client_listeners->start();
  logger.info("ready to serve client requests", {});
  notify_ready();
}

Member::~Member() {
  if (client_listeners) client_listeners->shutdown(kPatience);
  if (metrics_listeners) metrics_listeners->stop();
  if (peer_listeners) peer_listeners->stop();
  if (server) server->stop();  // open calls are answered before what they use goes
  if (api) api->stop();
}

}  // namespace truss::member
