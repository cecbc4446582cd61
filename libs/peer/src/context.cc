#include "context.h"

namespace truss::peer {
namespace {

net::HttpClientOptions stream_client() {
  net::HttpClientOptions options;
  options.max_idle_per_host = 0;
  options.user_agent = "Go-http-client/1.1";
  return options;
}

net::HttpClientOptions request_client() {
  net::HttpClientOptions options;
  options.user_agent = "Go-http-client/1.1";
  return options;
}

}  // namespace

Context::Context(net::IoThread& loop, net::IoThread& bulk_loop, Runtime& runtime, Logger& log,
                 Options given)
    : thread(loop),
      bulk(bulk_loop),
      clock(runtime.clock()),
      logger(log),
      options(given),
      files(runtime.make_executor("peer-files")),
      streams(std::make_unique<net::HttpClient>(loop, clock, stream_client())),
      requests(std::make_unique<net::HttpClient>(loop, clock, request_client())),
      uploads(std::make_unique<net::HttpClient>(bulk, clock, stream_client())) {}

void Context::deliver(std::vector<raft::Message>& messages) {
  if (messages.empty()) return;
  count(received, messages.size());
  std::vector<raft::Message> batch;
  batch.swap(messages);
  if (sink != nullptr) sink->receive_all(std::move(batch));
}

void Context::report_unreachable(raft::NodeId peer) {
  if (sink != nullptr) sink->report_unreachable(peer);
}

void Context::report_snapshot(raft::NodeId peer, bool delivered) {
  if (sink != nullptr) sink->report_snapshot(peer, delivered);
}

void Context::report_removed() {
  if (sink != nullptr) sink->removed();
}

std::size_t payload_bytes(const raft::Message& message) {
  std::size_t bytes = 64 + message.context.size() + message.snapshot.data.size();
  for (const raft::Entry& entry : message.entries) bytes += entry.data.size() + 32;
  return bytes;
}

}  // namespace truss::peer
