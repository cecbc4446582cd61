// A client that asks but takes no answers: what the server keeps for it is bounded.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "grpc_session_support.h"

namespace truss::net {
namespace {

using namespace testing;  // NOLINT: one file

constexpr std::uint32_t kWindow = 1000;
const std::string kMessage(2000, 'm');

struct Narrow : Echo {
  Narrow() : Echo({.max_queued_reply_bytes = 10'000}, kWindow) { client.auto_consume = false; }
  /// The client reads on: gives back the window of what it has.
  void read_on(Answer& answer) {
    for (std::size_t had = 0; had < answer.data.size();) {
      const std::size_t fresh = answer.data.size() - had;
      had = answer.data.size();
      client.session.consume(answer, fresh);
      pump();
    }
  }
};

TEST_CASE("answers beyond the bound turn into errors until the client reads on") {
  Narrow pair;
  std::vector<Answer*> answers;
  for (int i = 0; i < 8; ++i) {
    answers.push_back(&pair.client.call(kEcho, kMessage));
    pair.pump();
  }
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK_FALSE(answers[i]->ended);
    CHECK(answers[i]->data.size() == kWindow);
  }
  for (std::size_t i = 5; i < 8; ++i) {
    CHECK(answers[i]->status() ==
          "8 grpc: answers that this connection's client does not take exceed 10000 bytes");
  }
  CHECK_FALSE(pair.server->finished());
  for (std::size_t i = 0; i < 5; ++i) {
    pair.read_on(*answers[i]);
    CHECK(answers[i]->data == framed(kMessage));
    CHECK(answers[i]->status() == "0 ");
  }
  Answer& again = pair.client.call(kEcho, "short");
  pair.pump();
  CHECK(again.status() == "0 ");
}

TEST_CASE("calls that the client resets give their room back") {
  Narrow pair;
  for (int round = 0; round < 20; ++round) {
    Answer& answer = pair.client.call(kEcho, kMessage);
    pair.pump();
    CHECK(answer.data.size() == kWindow);
    pair.client.session.reset(answer, Http2Code::kCancel);
    pair.pump();
  }
}

TEST_CASE("one answer may be as large as it likes") {
  Narrow pair;
  const std::string large(100'000, 'l');
  Answer& answer = pair.client.call(kEcho, large);
  pair.pump();
  pair.read_on(answer);
  CHECK(answer.data == framed(large));
}

TEST_CASE("a stream that sends beyond the bound is reset and hears why") {
  Narrow pair;
  Answer& answer = pair.client.call(kStream, "", {}, false);
  pair.pump();
  ServerStream stream = pair.probe->stream;
  stream.send(SharedBytes::copy(std::string(20'000, 's')));
  pair.pump();
  CHECK_FALSE(pair.probe->done);
  stream.send(SharedBytes::copy("one more"));
  stream.send(SharedBytes::copy("and more"));
  pair.pump();
  CHECK(answer.closed == Http2Code::kEnhanceYourCalm);
  REQUIRE(pair.probe->done);
  CHECK(pair.probe->done->code == Code::kResourceExhausted);
  Answer& next = pair.client.call(kEcho, "x");
  pair.pump();
  CHECK(next.status() == "0 ");
}

TEST_CASE("an answer with trailers keeps its message") {
  Echo pair;
  Answer& answer = pair.client.call(kHold, "x");
  pair.pump();
  pair.held.at(0).finish(SharedBytes::copy("message"), {{"extra", "1"}});
  pair.pump();
  CHECK(answer.data == framed("message"));
  CHECK(answer.status() == "0 ");
  CHECK(answer.field("extra") == "1");
}

}  // namespace
}  // namespace truss::net
