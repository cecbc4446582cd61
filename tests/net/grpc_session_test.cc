// Unary calls of the gRPC server session, without sockets.
#include <doctest/doctest.h>

#include "grpc_session_support.h"

namespace truss::net {
namespace {

using namespace std::chrono_literals;
using namespace testing;  // NOLINT: one file

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

}  // namespace
}  // namespace truss::net
