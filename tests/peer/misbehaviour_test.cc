// Peers that dial, answer or read as they should not.
#include "http_support.h"
#include "truss/peer/message_stream.h"

using namespace truss;
using namespace truss::peer;
using namespace truss::peer::testing;

namespace {

/// A peer port that answers as the test says, and nothing else.
class Impostor {
 public:
  using Answer = std::function<void(const net::HttpRequest&, net::HttpReply)>;

  explicit Impostor(Answer streams, Answer posts = {}) : server_({}, runtime_.clock(), logger_) {
    server_.add_http({.path = "/raft/stream/", .handler = counted(std::move(streams))});
    server_.add_http({.path = "/raft", .handler = counted(std::move(posts))});
    url_ = "http://" + server_.listen({"127.0.0.1:0", net::Protocols::kHttpOnly}).value();
    server_.start();
  }
  const std::string& url() const { return url_; }
  std::atomic<int> asked{0};

 private:
  net::HttpHandler counted(Answer answer) {
    return
        [this, answer = std::move(answer)](const net::HttpRequest& request, net::HttpReply reply) {
          ++asked;
          if (answer) answer(request, std::move(reply));
        };
  }
  ThreadRuntime runtime_;
  NullLogger logger_;
  net::Server server_;
  std::string url_;
};

Impostor::Answer says(int status, std::string body, std::string version = "3.4.23") {
  return [=](const net::HttpRequest&, net::HttpReply reply) {
    reply.send(status, {{"X-Server-Version", version}}, body);
  };
}

/// Streams that begin well and go on with `bytes`.
Impostor::Answer streams(std::string bytes) {
  return [=](const net::HttpRequest&, net::HttpReply reply) {
    reply.begin(200, {{"X-Server-Version", "3.4.23"}});
    if (!bytes.empty()) reply.write(bytes);
  };
}

Options hasty() {
  Options options;
  options.dial_interval = std::chrono::milliseconds(5);
  options.read_timeout = std::chrono::milliseconds(100);
  return options;
}

/// A member whose only peer is `impostor`.
struct Victim {
  explicit Victim(Impostor& impostor) : station(1, hasty()) {
    station.knows(2, impostor.url());
    station.start();
  }
  Station station;
};

/// Reads a stream and remembers how it ended.
class Reader final : public net::HttpResponseHandler {
 public:
  void on_head(net::HttpResponse head) override { status = head.status; }
  void on_body(ByteView piece) override { bytes += piece.size(); }
  void on_end(Result<void> how) override { ended = how ? 1 : 2; }
  std::atomic<int> status{0};
  std::atomic<std::size_t> bytes{0};
  std::atomic<int> ended{0};  ///< 1 cleanly, 2 with an error
};

}  // namespace

TEST_CASE("answers to a dial that are no stream are tried again, and only 410 means removed") {
  for (const int status : {204, 301, 403, 404, 412, 500}) {
    CAPTURE(status);
    Impostor impostor(says(status, "no"));
    Victim victim(impostor);
    CHECK(eventually([&] { return impostor.asked > 6; }));
    CHECK(victim.station.sink.removals == 0);
    CHECK(victim.station.transport.active_since(raft::NodeId(2)) == MonoTime{});
  }
  Impostor impostor(says(410, "removed member\n"));
  Victim victim(impostor);
  CHECK(eventually([&] { return victim.station.sink.removals > 0; }));
}

TEST_CASE("403 to a POST means removed, other failures are reported as unreachable") {
  for (const int status : {403, 404, 412, 500, 200}) {
    CAPTURE(status);
    Impostor impostor(says(404, "no"), says(status, "no"));
    Victim victim(impostor);
    victim.station.transport.send({message(raft::MessageType::kVote, 1, 2)});
    CHECK(eventually([&] { return victim.station.sink.unreachable > 0; }));
    CHECK(eventually([&] { return (victim.station.sink.removals > 0) == (status == 403); }));
  }
}

TEST_CASE("a version that is too old or none is no stream, and kills nobody") {
  for (const char* version : {"2.0.0", "nonsense", ""}) {
    CAPTURE(version);
    Impostor impostor(says(200, "", version));
    Victim victim(impostor);
    CHECK(eventually([&] { return impostor.asked > 6; }));
  }
}

TEST_CASE("streams of garbage, oversized lengths, half messages and silence are dialled again") {
  std::string half;
  write_message_frame(message(raft::MessageType::kVote, 2, 1), raft::MessageForm::k34, half);
  half.pop_back();
  for (const std::string& bytes :
       {std::string(100, '\xff'), std::string("\x01\xff\xff\xff\xff\xff\xff\xff\xff"), half,
        std::string()}) {
    CAPTURE(to_hex(bytes));
    Impostor impostor(streams(bytes));
    Victim victim(impostor);
    CHECK(eventually([&] { return impostor.asked > 6; }));
    CHECK(victim.station.sink.size() == 0);
  }
}

TEST_CASE("a newer stream of the same peer replaces the older, which ends cleanly") {
  Station station(1);
  station.knows(2, "http://127.0.0.1:1");
  station.start();
  Browser browser(station);
  auto first = std::make_shared<Reader>();
  auto second = std::make_shared<Reader>();
  const net::Metadata headers = passing({{"X-Raft-To", "1"}});
  const auto one = browser.open("/raft/stream/message/2", headers, first);
  REQUIRE(eventually([&] { return first->status == 200; }));
  CHECK(first->ended == 0);
  const auto two = browser.open("/raft/stream/message/2", headers, second);
  REQUIRE(eventually([&] { return first->ended == 1; }));
  station.transport.send({message(raft::MessageType::kVote, 1, 2)});
  CHECK(eventually([&] { return second->bytes > 0; }));
  CHECK(second->ended == 0);
}

TEST_CASE("a peer that stops reading costs bounded memory and holds up nobody") {
  Options options;
  options.queue_bytes = 4u << 20;
  Station station(1, options);
  Station friendly(3, options);
  station.knows(2, "http://127.0.0.1:1");
  station.knows(3, friendly.url);
  friendly.knows(1, station.url);
  station.start();
  friendly.start();
  Browser browser(station);
  auto lazy = std::make_shared<Reader>();
  auto exchange = browser.open("/raft/stream/message/2", passing({{"X-Raft-To", "1"}}), lazy);
  REQUIRE(eventually([&] { return lazy->status == 200; }));
  exchange.pause(true);
  REQUIRE(eventually([&] { return station.transport.counters().streams_attached >= 3; }));

  raft::Message bulk = message(raft::MessageType::kAppResp, 1, 2);
  bulk.context = SharedBytes::copy(std::string(1u << 20, 'c'));
  for (int i = 0; i < 200; ++i) station.transport.send({bulk});
  CHECK(eventually([&] { return station.transport.counters().dropped_messages > 100; }));
  CHECK(station.sink.unreachable > 0);
  const std::size_t before = friendly.sink.size();
  station.transport.send({message(raft::MessageType::kHeartbeat, 1, 3)});
  CHECK(eventually([&] { return friendly.sink.size() == before + 1; }));
}

TEST_CASE("only so many strangers are remembered, and none without a proper address") {
  Station station(1);
  station.start();
  Browser browser(station);
  for (int i = 0; i < 400; ++i) {
    const std::string id = id_text(1000 + static_cast<std::uint64_t>(i));
    const std::string urls = i % 2 == 0 ? "http://127.0.0.1:1" : "http://bad:x";
    const auto answer = browser.ask("GET", "/raft/stream/message/" + id,
                                    {{"X-Server-From", id},
                                     {"X-Server-Version", "3.4.23"},
                                     {"X-Min-Cluster-Version", "3.0.0"},
                                     {"X-Etcd-Cluster-Id", "c"},
                                     {"X-PeerURLs", urls}});
    REQUIRE(answer.has_value());
    CHECK(answer->status == 404);
  }
  station.transport.send({message(raft::MessageType::kVote, 1, 1001)});
  CHECK(eventually([&] { return station.transport.counters().dropped_messages == 1; }));
}
