// A server of two gRPC methods and two HTTP routes, to be driven by hand: curl, h2load,
// etcdctl-like clients. Prints its address; runs until its standard input ends.
#include <cstdio>
#include <iostream>
#include <string>

#include "truss/common/log.h"
#include "truss/net/server.h"

namespace {

using truss::SharedBytes;
using namespace truss::net;  // NOLINT: a small program

class EchoStream final : public StreamHandler {
 public:
  explicit EchoStream(ServerStream stream) : stream_(std::move(stream)) {}
  void on_message(SharedBytes message) override { stream_.send(std::move(message)); }
  void on_half_close() override { stream_.finish({truss::Code::kOk, {}}); }

 private:
  ServerStream stream_;
};

}  // namespace

int main(int argc, char** argv) {
  truss::SystemClock clock;
  truss::NullLogger logger;
  ServerOptions options;
  if (argc > 2) options.io_threads = std::stoul(argv[2]);
  Server server(options, clock, logger);
  server.add_unary("/etcdserverpb.KV/Put", [](CallContext, SharedBytes request, UnaryReply reply) {
    reply.finish(std::move(request));
  });
  server.add_stream("/etcdserverpb.Watch/Watch", [](CallContext, ServerStream stream) {
    return std::make_shared<EchoStream>(std::move(stream));
  });
  server.add_http(
      {.path = "/health", .handler = [](HttpRequest, HttpReply reply) {
         reply.send(200, {{"Content-Type", "application/json"}}, "{\"health\":\"true\"}");
       }});
  server.add_http({.path = "/echo/", .handler = [](HttpRequest request, HttpReply reply) {
                     reply.begin(200, {{"Content-Type", "text/plain"}});
                     reply.write(request.method + " " + request.path + "\n");
                     reply.write(request.body);
                     reply.end();
                   }});
  const auto address = server.listen({argc > 1 ? argv[1] : "127.0.0.1:0"});
  if (!address) {
    std::cerr << address.error().message << "\n";
    return 1;
  }
  server.start();
  std::cout << *address << std::endl;
  while (std::getchar() != EOF) {
  }
  server.shutdown(std::chrono::seconds(1));
  return 0;
}
