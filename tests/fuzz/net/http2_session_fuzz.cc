// Arbitrary bytes against the gRPC server session: nothing may crash, hang or leak, output stays in
// proportion, and cutting the input differently must not change what is said.
#include <cstdint>
#include <memory>
#include <string>

#include "../../net/support.h"
#include "truss/common/check.h"

namespace {

using namespace truss;       // NOLINT: one file
using namespace truss::net;  // NOLINT

class EchoStream final : public StreamHandler {
 public:
  explicit EchoStream(ServerStream stream) : stream_(std::move(stream)) {}
  void on_message(SharedBytes message) override { stream_.send(std::move(message)); }
  void on_half_close() override { stream_.finish({Code::kOk, {}}); }

 private:
  ServerStream stream_;
};

std::string serve(ByteView bytes, std::size_t cut, GrpcDialect dialect) {
  testing::ManualClock clock;
  const auto mailbox = std::make_shared<testing::QueueMailbox>();
  testing::NoOwner owner;
  ServiceTable table;
  ServerOptions options;
  options.grpc_dialect = dialect;
  options.max_receive_message_bytes = 1000;
  options.max_concurrent_streams = 50;
  table.add_method("/test.Echo/Unary", {[](CallContext, SharedBytes request, UnaryReply reply) {
                                          reply.finish(std::move(request));
                                        },
                                        nullptr});
  table.add_method("/test.Echo/Stream", {nullptr, [](CallContext, ServerStream stream) {
                                           return std::make_shared<EchoStream>(std::move(stream));
                                         }});
  GrpcServerSession session(table, options, clock, mailbox, "p", owner);
  if (session.receive(bytes.substr(0, cut))) (void)session.receive(bytes.substr(cut));
  mailbox->run_all();
  std::string out;
  session.pull(out, 16u << 20);
  clock.advance(std::chrono::hours(3));
  session.on_time(clock.now());
  mailbox->run_all();
  session.pull(out, 16u << 20);
  session.lost({Code::kCanceled, "over"});
  mailbox->run_all();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(reinterpret_cast<const char*>(data), size);
  const GrpcDialect dialect = size % 2 == 0 ? GrpcDialect::kCurrent : GrpcDialect::kGo126;
  const std::string whole = serve(bytes, size, dialect);
  TRUSS_CHECK(whole.size() <= 1000 + 200 * size, "output out of proportion");
  TRUSS_CHECK(serve(bytes, size / 2, dialect) == whole, "the cut shows in the output");
  return 0;
}
