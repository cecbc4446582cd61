#include "station.h"

#include <chrono>

namespace truss::peertool {
namespace {

using std::chrono::seconds;

net::ServerOptions server_options(const peer::Options& options) {
  net::ServerOptions out;
  out.stream_high_water = options.unsent_bytes;
  out.stream_low_water = options.unsent_bytes / 2;
  out.unsent_kernel_bytes = options.unsent_bytes;
  out.http_read_timeout = seconds(5);
  out.write_timeout = seconds(5);
  return out;
}

}  // namespace

Station::Station(Runtime& runtime, Logger& logger, const std::string& name,
                 const peer::Options& options)
    : thread_(name, runtime.clock()),
      transport_(thread_, runtime, logger, options),
      server_(server_options(options), thread_, runtime.clock(), logger) {
  transport_.install(server_);
}

Station::~Station() { stop(); }

Result<> Station::listen() {
  TRUSS_ASSIGN(const std::string address,
               server_.listen({"127.0.0.1:0", net::Protocols::kHttpOnly}));
  url_ = "http://" + address;
  return {};
}

void Station::start(const peer::Identity& who, peer::Sink& sink) {
  transport_.identify(who);
  transport_.start(sink, local_);
  server_.start();
}

void Station::stop() {
  transport_.stop();
  server_.stop();
}

}  // namespace truss::peertool
