#pragma once

#include <string>
#include <variant>
#include <vector>

#include "settings.h"
#include "truss/api/api.h"
#include "truss/common/log.h"
#include "truss/net/server.h"
#include "truss/server/config.h"

namespace truss::member {

/// Everything a member is started with.
struct Options {
  server::Config server;
  api::Options api;
  net::ServerOptions net;
  std::uint64_t snapshot_send_rate = 0;  ///< bytes a second to one peer; 0: no limit
  std::vector<std::string> listen_peer_urls;
  std::vector<std::string> listen_client_urls;
  std::vector<std::string> listen_client_http_urls;
  std::vector<std::string> listen_metrics_urls;
  LogLevel log_level = LogLevel::kInfo;
  std::vector<std::string> log_outputs;
  std::vector<Warning> warnings;
};

/// Turns settings into options, with etcd's validation. Exit: code 1 and one line.
std::variant<Options, Exit> make_options(Settings settings);

/// `http://127.0.0.1:2379` as a listener takes it. Errors: kInvalidArgument.
Result<std::string> listen_address(const std::string& url);

}  // namespace truss::member
