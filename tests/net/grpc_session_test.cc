// The server session against a recording client, without sockets.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support.h"
#include "truss/net/grpc_frame.h"

namespace truss::net {
namespace {

using namespace std::chrono_literals;
using testing::Answer;
using testing::Pair;

constexpr char kEcho[] = "/test.Echo/Unary";
constexpr char kHold[] = "/test.Echo/Hold";
constexpr char kStream[] = "/test.Echo/Stream";

std::string framed(const std::string& message) {
  GrpcOutBody body;
  body.push(SharedBytes::copy(message));
  std::string out;
  body.write(body.size_bytes(), out);
  return out;
}

/// Keeps what it sees; its stream is at the test's command.
class Probe final : public StreamHandler {
 public:
  Probe(CallContext context, ServerStream s) : call(std::move(context)), stream(std::move(s)) {}
  void on_message(SharedBytes message) override { messages.emplace_back(message.view()); }
  void on_half_close() override { half_closed = true; }
  void on_writable() override { ++writable; }
  void on_done(const Error& why) override { done = why; }

  CallContext call;
  ServerStream stream;
  std::vector<std::string> messages;
  bool half_closed = false;
  int writable = 0;
  std::optional<Error> done;
};

/// A pair whose server echoes, holds replies back, and gives out its streams.
struct Echo : Pair {
  explicit Echo(ServerOptions server_options = {}, std::uint32_t client_window = 1u << 20)
      : Pair(std::move(server_options), client_window) {
    table.add_method(kEcho, {[this](CallContext call, SharedBytes request, UnaryReply reply) {
                               last_call = call;
                               reply.finish(std::move(request));
                             },
                             nullptr});
    table.add_method(kHold, {[this](CallContext call, SharedBytes, UnaryReply reply) {
                               last_call = call;
                               held.push_back(std::move(reply));
                             },
                             nullptr});
    table.add_method(kStream, {nullptr, [this](CallContext call, ServerStream stream) {
                                 probe =
                                     std::make_shared<Probe>(std::move(call), std::move(stream));
                                 return probe;
                               }});
  }
  ~Echo() { held.clear(); }

  CallContext last_call;
  std::vector<UnaryReply> held;
  std::shared_ptr<Probe> probe;
};

using Fields = std::vector<std::pair<std::string, std::string>>;

TEST_CASE("a unary call is answered with grpc-go's fields, in its order") {
  Echo net;
  const Answer& answer = net.client.call(kEcho, "hello");
  net.pump();
  CHECK(answer.data == framed("hello"));
  CHECK(answer.fields == Fields{{":status", "200"},
                                {"content-type", "application/grpc"},
                                {"grpc-status", "0"},
                                {"grpc-message", ""}});
  CHECK(answer.ended);
  CHECK(answer.closed == Http2Code::kNoError);
}

TEST_CASE("many calls at a time keep apart") {
  Echo net;
  std::vector<const Answer*> answers;
  for (int i = 0; i < 500; ++i) answers.push_back(&net.client.call(kEcho, std::to_string(i)));
  net.pump();
  for (int i = 0; i < 500; ++i) {
    CHECK(answers[static_cast<std::size_t>(i)]->data == framed(std::to_string(i)));
  }
}

TEST_CASE("a large message passes in both directions") {
  Echo net({.max_receive_message_bytes = 4u << 20, .stream_window_bytes = 65'535});
  const std::string big(3u << 20, 'x');
  const Answer& answer = net.client.call(kEcho, big);
  net.pump();
  CHECK(answer.data == framed(big));
}

TEST_CASE("an error is one header block, percent-encoded") {
  Echo net;
  const Answer& answer = net.client.call(kHold, "x");
  net.pump();
  REQUIRE(net.held.size() == 1);
  net.held[0].finish(fail(Code::kFailedPrecondition, "etcdserver: 100% \n broken"),
                     {{"extra", "1"}, {"raw-bin", std::string("\0\xff", 2)}});
  net.pump();
  CHECK(answer.data.empty());
  CHECK(answer.fields == Fields{{":status", "200"},
                                {"content-type", "application/grpc"},
                                {"grpc-status", "9"},
                                {"grpc-message", "etcdserver: 100%25 %0A broken"},
                                {"extra", "1"},
                                {"raw-bin", "AP8"}});
}

TEST_CASE("corruption never goes out as a code that gRPC doesn't have") {
  Echo net;
  const Answer& answer = net.client.call(kHold, "x");
  net.pump();
  net.held[0].finish(fail(Code::kCorruption, "damaged"));
  net.pump();
  CHECK(answer.status() == "15 damaged");
}

TEST_CASE("a dropped reply does not leave the client waiting") {
  Echo net;
  const Answer& answer = net.client.call(kHold, "x");
  net.pump();
  net.held.clear();
  net.pump();
  CHECK(answer.status() == "2 handler dropped the call");
}

TEST_CASE("the first answer counts") {
  Echo net;
  const Answer& answer = net.client.call(kHold, "x");
  net.pump();
  net.held[0].finish(SharedBytes::copy("first"));
  net.held[0].finish(fail(Code::kInternal, "second"));
  net.pump();
  CHECK(answer.data == framed("first"));
  CHECK(answer.status() == "0 ");
}

TEST_CASE("what can't be routed gets grpc-go's texts") {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"/test.Echo/RangeStream", "12 unknown method RangeStream for service test.Echo"},
      {"/test.Other/Unary", "12 unknown service test.Other"},
      {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
       "12 unknown service grpc.reflection.v1alpha.ServerReflection"},
      {"/nothing", "12 malformed method name: \"/nothing\""},
  };
  for (const auto& [path, status] : table) {
    Echo net;
    const Answer& answer = net.client.call(path, "x");
    net.pump();
    CHECK(answer.status() == status);
    CHECK(answer.field(":status") == "200");
  }
}

TEST_CASE("requests that aren't gRPC get an HTTP status and no handler") {
  struct Row {
    std::vector<HeaderField> fields;
    std::string http_status;
    std::string status;
  };
  const HeaderField path{":path", kEcho};
  const HeaderField scheme{":scheme", "http"};
  const HeaderField host{":authority", "test"};
  const HeaderField post{":method", "POST"};
  const std::vector<Row> rows = {
      {{post, scheme, path, host}, "415", "13 invalid gRPC request content-type \"\""},
      {{post, scheme, path, host, {"content-type", "application/json"}},
       "415",
       "13 invalid gRPC request content-type \"application/json\""},
      {{{":method", "GET"}, scheme, path, host, {"content-type", "application/grpc"}},
       "405",
       "13 Received a HEADERS frame with :method \"GET\" which should be POST"},
      {{post, scheme, path, host, {"content-type", "application/grpc"}, {"grpc-timeout", "5x"}},
       "400",
       "13 malformed grpc-timeout: transport: timeout unit is not recognized: \"5x\""},
  };
  for (const Row& row : rows) {
    Echo net;
    const Answer& answer = net.client.request(row.fields, "x", true);
    net.pump();
    CHECK(answer.field(":status") == row.http_status);
    CHECK(answer.status() == row.status);
    CHECK(answer.data.empty());
  }
}

TEST_CASE("te is not asked for, and a subtype comes back") {
  Echo net;
  const Answer& answer = net.client.request({{":method", "POST"},
                                             {":scheme", "http"},
                                             {":path", kEcho},
                                             {":authority", "test"},
                                             {"content-type", "application/grpc+proto"}},
                                            "x", true);
  net.pump();
  CHECK(answer.status() == "0 ");
  CHECK(answer.field("content-type") == "application/grpc+proto");
}

TEST_CASE("compression that was never agreed is refused") {
  Echo net;
  const Answer& gzip = net.client.call(kEcho, "x", {{"grpc-encoding", "gzip"}});
  const Answer& identity = net.client.call(kEcho, "x", {{"grpc-encoding", "identity"}});
  net.pump();
  CHECK(gzip.status() == "12 grpc: Decompressor is not installed for grpc-encoding \"gzip\"");
  CHECK(identity.status() == "0 ");
}

TEST_CASE("a message above the limit is refused, one at the limit is not") {
  Echo net({.max_receive_message_bytes = 1000});
  const Answer& over = net.client.call(kEcho, std::string(1001, 'x'));
  const Answer& at = net.client.call(kEcho, std::string(1000, 'x'));
  net.pump();
  CHECK(over.status() == "8 grpc: received message larger than max (1001 vs. 1000)");
  CHECK(at.status() == "0 ");
}

TEST_CASE("a request without its message is answered") {
  Echo net;
  const Answer& answer = net.client.call(kEcho, "");
  net.pump();
  CHECK(answer.status() == "13 unexpected EOF");
}

TEST_CASE("metadata is found by name, binary values decoded") {
  Echo net;
  net.client.call(
      kEcho, "x",
      {{"token", "abc.1"}, {"hasleader", "true"}, {"x", "1"}, {"x", "2"}, {"k-bin", "AP8"}});
  net.pump();
  const CallContext& call = net.last_call;
  CHECK(call.metadata("token") == "abc.1");
  CHECK(call.metadata("hasleader") == "true");
  CHECK(call.metadata("authorization").empty());
  CHECK_FALSE(call.has_metadata("authorization"));
  CHECK(call.all_metadata("x") == std::vector<std::string_view>{"1", "2"});
  CHECK(call.metadata("k-bin") == std::string_view("\0\xff", 2));
  CHECK(call.peer() == "1.2.3.4:5");
  CHECK(call.path() == kEcho);
  CHECK_FALSE(call.deadline());
}

TEST_CASE("malformed binary metadata is refused") {
  Echo net;
  const Answer& answer = net.client.call(kEcho, "x", {{"k-bin", "*"}});
  net.pump();
  CHECK(answer.field(":status") == "400");
  CHECK(answer.field("grpc-status") == "13");
}

TEST_CASE("a header list above the limit ends that call only") {
  Echo net({.max_header_list_bytes = 2000});
  const std::string long_value(3000, 'v');
  const Answer& over = net.client.call(kEcho, "x", {{"long", long_value}});
  const Answer& fine = net.client.call(kEcho, "x");
  net.pump();
  CHECK(over.status() == "13 peer header list size exceeded limit");
  CHECK(fine.status() == "0 ");
}

TEST_CASE("a deadline answers, cancels and lets the handler's answer fall") {
  Echo net;
  const Answer& answer = net.client.call(kHold, "x", {{"grpc-timeout", "100m"}});
  net.pump();
  REQUIRE(net.last_call.deadline());
  CHECK(*net.last_call.deadline() == net.clock.now() + 100ms);
  CHECK(net.session().next_time() == net.last_call.deadline());
  CHECK_FALSE(net.last_call.cancelled());
  net.clock.advance(100ms);
  net.session().on_time(net.clock.now());
  net.pump();
  CHECK(answer.status() == "4 context deadline exceeded");
  CHECK(net.last_call.cancelled());
  net.held[0].finish(SharedBytes::copy("late"));
  net.pump();
  CHECK(answer.data.empty());
}

TEST_CASE("a call answered in time forgets its deadline") {
  Echo net;
  net.client.call(kEcho, "x", {{"grpc-timeout", "100m"}});
  net.pump();
  CHECK(*net.session().next_time() > net.clock.now() + 1h);
}

TEST_CASE("the client's reset cancels the call") {
  Echo net;
  Answer& unary = net.client.call(kHold, "x");
  Answer& stream = net.client.call(kStream, "m", {}, false);
  net.pump();
  REQUIRE(net.probe);
  net.client.session.reset(unary, Http2Code::kCancel);
  net.client.session.reset(stream, Http2Code::kCancel);
  net.pump();
  CHECK(net.last_call.cancelled());
  REQUIRE(net.probe->done);
  CHECK(net.probe->done->code == Code::kCanceled);
  net.held[0].finish(SharedBytes::copy("late"));
  CHECK(net.probe->stream.send(SharedBytes::copy("late")) == 0);
  net.pump();
  CHECK_FALSE(net.failed);
}

TEST_CASE("a bidirectional stream: messages, half-close, status with trailers") {
  Echo net;
  Answer& answer = net.client.call(kStream, "one", {}, false);
  answer.out().push(SharedBytes::copy("two"));
  net.pump();
  REQUIRE(net.probe);
  CHECK(net.probe->messages == std::vector<std::string>{"one", "two"});
  CHECK_FALSE(net.probe->half_closed);
  CHECK(answer.fields.empty());  // headers wait for the first message, as grpc-go's do
  net.probe->stream.send(SharedBytes::copy("reply"));
  net.pump();
  CHECK(answer.data == framed("reply"));
  CHECK_FALSE(answer.ended);
  net.client.session.end_body(answer, false);
  net.pump();
  CHECK(net.probe->half_closed);
  net.probe->stream.send(SharedBytes::copy("last"));
  net.probe->stream.finish({Code::kOk, {}}, {{"t", "1"}});
  net.pump();
  CHECK(answer.data == framed("reply") + framed("last"));
  CHECK(answer.status() == "0 ");
  CHECK(answer.field("t") == "1");
  REQUIRE(net.probe->done);
  CHECK(net.probe->done->code == Code::kOk);
}

TEST_CASE("a stream that the server ends first is closed on both sides") {
  Echo net;
  const Answer& answer = net.client.call(kStream, "x", {}, false);
  net.pump();
  net.probe->stream.finish({Code::kUnavailable, "etcdserver: no leader"});
  net.pump();
  CHECK(answer.status() == "14 etcdserver: no leader");
  CHECK(answer.closed == Http2Code::kNoError);
  CHECK(net.probe->done);
}

TEST_CASE("a reader that stops holds its own stream only, and the sender hears when it may go on") {
  Echo net({.stream_high_water = 100'000, .stream_low_water = 20'000}, 65'535);
  net.client.auto_consume = false;
  Answer& slow = net.client.call(kStream, "x", {}, false);
  net.pump();
  std::size_t queued = 0;
  int sent = 0;
  while (queued <= 100'000) {
    queued = net.probe->stream.send(SharedBytes::copy(std::string(10'000, 'm')));
    ++sent;
  }
  net.pump();
  CHECK(sent == 10);
  CHECK(slow.data.size() == 65'535);
  CHECK(net.probe->stream.queued_bytes() == queued - 65'535);
  CHECK(net.probe->writable == 0);
  net.client.auto_consume = true;
  const Answer& other = net.client.call(kEcho, "y");
  net.pump();
  CHECK(other.status() == "0 ");
  net.client.session.consume(slow, 65'535);
  net.pump();
  CHECK(net.probe->writable == 1);
  CHECK(net.probe->stream.queued_bytes() == 0);
}

TEST_CASE("a paused stream delivers nothing and buffers one window at most") {
  Echo net({.stream_window_bytes = 65'535});
  Answer& answer = net.client.call(kStream, "first", {}, false);
  net.pump();
  net.probe->stream.pause_receiving(true);
  net.pump();
  for (int i = 0; i < 30; ++i) answer.out().push(SharedBytes::copy(std::string(10'000, 'm')));
  net.client.session.resume(answer);
  net.client.session.end_body(answer, false);
  net.pump();
  CHECK(net.probe->messages.size() == 1);
  CHECK(answer.out().size_bytes() > 200'000);
  const Answer& other = net.client.call(kEcho, "y");
  net.pump();
  CHECK(other.status() == "0 ");
  net.probe->stream.pause_receiving(false);
  net.pump();
  CHECK(net.probe->messages.size() == 31);
  CHECK(net.probe->half_closed);
}

TEST_CASE("pings: three too many in short order end the connection") {
  Echo net;
  net.client.call(kStream, "x", {}, false);
  net.pump();
  for (int i = 0; i < 4; ++i) {
    CHECK_FALSE(net.client.goaway);
    net.client.session.ping(1);
    net.pump();
    net.clock.advance(1s);
  }
  CHECK(net.client.goaway == Http2Code::kEnhanceYourCalm);
  CHECK(net.client.goaway_text == "too_many_pings");
  CHECK(net.session().finished());
}

TEST_CASE("pings at the allowed pace, and probes after data, are welcome") {
  Echo net;
  net.client.call(kStream, "x", {}, false);
  net.pump();
  for (int i = 0; i < 20; ++i) {
    net.client.session.ping(1);
    net.pump();
    net.clock.advance(5s);
  }
  for (int i = 0; i < 20; ++i) {
    net.client.call(kEcho, "x");
    net.client.session.ping(1);
    net.pump();
  }
  CHECK_FALSE(net.client.goaway);
  CHECK(net.client.pings_acked == 40);
}

TEST_CASE("pings without a call are strikes however slow") {
  Echo net;
  net.pump();
  for (int i = 0; i < 4; ++i) {
    net.client.session.ping(1);
    net.pump();
    net.clock.advance(60s);
  }
  CHECK(net.client.goaway == Http2Code::kEnhanceYourCalm);
}

TEST_CASE("a silent client is pinged, and dropped if it stays silent") {
  Echo net({.keepalive_interval = 10s, .keepalive_timeout = 2s});
  net.pump();
  CHECK(*net.session().next_time() == net.clock.now() + 10s);
  net.clock.advance(10s);
  net.session().on_time(net.clock.now());
  CHECK(*net.session().next_time() == net.clock.now() + 2s);
  SUBCASE("an answer keeps it") {
    net.pump();
    CHECK(net.client.pings_received == 1);
    net.clock.advance(2s);
    net.session().on_time(net.clock.now());
    CHECK_FALSE(net.session().finished());
  }
  SUBCASE("silence ends it") {
    net.clock.advance(2s);
    net.session().on_time(net.clock.now());
    CHECK(net.session().finished());
  }
}

TEST_CASE("a client that never completes the handshake is dropped") {
  Echo net({.handshake_timeout = 5s});
  REQUIRE(net.session().receive("PRI * HTTP/2.0\r\n"));
  CHECK(*net.session().next_time() == net.clock.now() + 5s);
  net.clock.advance(5s);
  net.session().on_time(net.clock.now());
  CHECK(net.session().finished());
}

TEST_CASE("a graceful end lets the running call finish and takes no more") {
  Echo net;
  const Answer& running = net.client.call(kHold, "x");
  net.pump();
  net.session().begin_shutdown();
  net.pump();
  CHECK(net.client.goaway == Http2Code::kNoError);
  CHECK_FALSE(net.session().finished());
  net.held[0].finish(SharedBytes::copy("done"));
  net.pump();
  CHECK(running.data == framed("done"));
  CHECK(net.session().finished());
}

TEST_CASE("calls beyond the agreed number are refused, not the connection") {
  Echo net({.max_concurrent_streams = 2});
  std::vector<const Answer*> answers;
  for (int i = 0; i < 3; ++i) answers.push_back(&net.client.call(kHold, "x"));
  net.pump();
  // The client knows the limit by now and holds the third back.
  CHECK(net.held.size() >= 2);
  net.held[0].finish(SharedBytes::copy("a"));
  net.pump();
  CHECK(answers[0]->status() == "0 ");
  CHECK_FALSE(net.client.goaway);
}

TEST_CASE("a lost connection cancels every call once") {
  Echo net;
  net.client.call(kHold, "x");
  net.client.call(kStream, "x", {}, false);
  net.pump();
  const CallContext unary = net.last_call;
  net.session().lost({Code::kCanceled, "gone"});
  CHECK(unary.cancelled());
  REQUIRE(net.probe->done);
  CHECK(net.probe->done->message == "gone");
  net.held[0].finish(SharedBytes::copy("late"));
  net.probe->stream.finish({Code::kOk, {}});
  net.mailbox->run_all();
}

TEST_CASE("client bytes split at every byte give the same server bytes") {
  std::string bytes;
  {
    Echo net;
    net.client.call(kEcho, "hello", {{"token", "t"}});
    net.client.call("/test.Echo/None", "x");
    net.client.session.pull(bytes, 1u << 20);
  }
  std::string expected;
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    CAPTURE(cut);
    Echo net;
    REQUIRE(net.session().receive(ByteView(bytes).substr(0, cut)));
    REQUIRE(net.session().receive(ByteView(bytes).substr(cut)));
    net.mailbox->run_all();
    std::string out;
    net.session().pull(out, 1u << 20);
    if (cut == 0) expected = out;
    CHECK(out == expected);
  }
}

}  // namespace
}  // namespace truss::net
