#include "member.h"

#include "peer_metrics.h"
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

peer::Options peer_options(const Options& given) {
  peer::Options options;
  options.dial_timeout = std::chrono::seconds(1) + given.server.election_timeout;
  options.snapshot_bytes_per_second = given.snapshot_send_rate;
  return options;
}

/// The port of the peers: what it may hold unsent is bounded, so that no heartbeat waits behind it.
net::ServerOptions peer_port_options(net::ServerOptions options, const peer::Options& peer) {
  options.http_read_timeout = peer.read_timeout;
  options.write_timeout = peer.read_timeout;
  options.stream_high_water = peer.unsent_bytes;
  options.stream_low_water = peer.unsent_bytes / 2;
  options.unsent_kernel_bytes = peer.unsent_bytes / 2;
  return options;
}

}  // namespace

Member::Member(Options given, Logger& log)
    : options(std::move(given)),
      logger(log),
      peers(peer_thread, snapshot_thread, runtime, logger, peer_options(options)),
      local(files, options.server.data_dir + "/member/snap"),
      transport(peers, local, options.server.advertise_peer_urls) {}

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
    return std::make_unique<net::Server>(options.net, runtime.clock(), logger, &runtime.turns());
  };
  peer_listeners = std::make_unique<net::Server>(
      peer_port_options(options.net, peer_options(options)), peer_thread, runtime.clock(), logger);
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
  TRUSS_ASSIGN(server, server::Server::start(options.server, {runtime, files, random, logger,
                                                              process, transport, queries}));
  local.attach(*server);
  if (server->level() == server::CompatLevel::k34) {
    client_listeners->set_grpc_dialect(net::GrpcDialect::kGo126);
  }
  options.api.peer_metrics = [this] { return peer_metrics(peers); };
  api = std::make_unique<api::Api>(*server, runtime, logger, options.api);
  peers.install(*peer_listeners);
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
  if (server) server->stop();  // open calls are answered before what they use goes
  peers.stop();
  if (peer_listeners) peer_listeners->stop();
  if (api) api->stop();
}

}  // namespace truss::member
