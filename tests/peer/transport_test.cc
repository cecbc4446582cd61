// Two and three transports talking over loopback sockets.
#include "loopback.h"

using namespace truss;
using namespace truss::peer;
using namespace truss::peer::testing;
using raft::MessageType;

namespace {

bool streams_up(const Station& station, std::uint64_t count) {
  return station.transport.counters().streams_attached >= count;
}

/// Two that know each other, with all four streams up.
struct Pair {
  explicit Pair(Options options = {}) : a(1, options), b(2, options) {
    a.knows(2, b.url);
    b.knows(1, a.url);
    a.start();
    b.start();
    REQUIRE(eventually([&] { return streams_up(a, 2) && streams_up(b, 2); }));
  }
  Station a;
  Station b;
};

raft::Message append(std::uint64_t index, std::size_t entries, std::size_t bytes) {
  raft::Message m = message(MessageType::kApp, 1, 2);
  m.log_term = raft::Term(1);
  m.index = raft::Index(index);
  for (std::size_t i = 1; i <= entries; ++i) {
    m.entries.push_back({.term = raft::Term(1),
                         .index = raft::Index(index + i),
                         .data = SharedBytes::copy(std::string(bytes, 'x'))});
  }
  return m;
}

}  // namespace

TEST_CASE("messages of every kind arrive, in order on each stream") {
  Pair pair;
  std::vector<raft::Message> appends;
  std::vector<raft::Message> others;
  for (std::uint64_t i = 0; i < 200; ++i) {
    appends.push_back(append(i * 3, 3, i * 10));
    others.push_back(message(MessageType::kAppResp, 1, 2, i + 1));
  }
  std::vector<raft::Message> both = appends;
  both.insert(both.end(), others.begin(), others.end());
  pair.a.transport.send(both);
  REQUIRE(eventually([&] { return pair.b.sink.size() == 400; }));
  std::vector<raft::Message> got_appends;
  std::vector<raft::Message> got_others;
  for (const raft::Message& m : pair.b.sink.messages()) {
    (m.type == MessageType::kApp ? got_appends : got_others).push_back(m);
  }
  CHECK(got_appends == appends);
  CHECK(got_others == others);
  CHECK(pair.a.transport.active_since(raft::NodeId(2)) != MonoTime{});
  CHECK(pair.a.transport.active_since(raft::NodeId(3)) == MonoTime{});
  CHECK(pair.b.sink.unreachable == 0);
}

TEST_CASE("until streams are there messages go by POST /raft") {
  Station a(1);
  Station b(2);
  a.knows(2, b.url);  // b does not know a, so it will not dial
  a.start();
  b.start();
  a.transport.send({message(MessageType::kVote, 1, 2, 7)});
  REQUIRE(eventually([&] { return b.sink.size() == 1; }));
  CHECK(b.sink.messages()[0] == message(MessageType::kVote, 1, 2, 7));
  CHECK(a.transport.counters().streams_attached == 0);

  // ... and the stranger gets its answer where its request said.
  b.transport.send({message(MessageType::kVoteResp, 2, 1, 7)});
  REQUIRE(eventually([&] { return a.sink.size() == 1; }));
  CHECK(a.sink.messages()[0].type == MessageType::kVoteResp);
}

TEST_CASE("large forwarded proposals leave the message stream alone") {
  Pair pair;
  raft::Message proposal = message(MessageType::kProp, 1, 2, 0);
  proposal.entries.push_back({.data = SharedBytes::copy(std::string(1u << 20, 'p'))});
  pair.a.transport.send({proposal});
  REQUIRE(eventually([&] { return pair.b.sink.size() == 1; }));
  CHECK(pair.b.sink.messages()[0] == proposal);
}

TEST_CASE("a member that is gone is reported, and found again when it is back") {
  Options options;
  options.dial_interval = std::chrono::milliseconds(10);
  Station a(1, options);
  auto b = std::make_unique<Station>(2, options);
  const std::string address = b->url.substr(std::string("http://").size());
  a.knows(2, b->url);
  b->knows(1, a.url);
  a.start();
  b->start();
  REQUIRE(eventually([&] { return streams_up(a, 2); }));
  b.reset();
  REQUIRE(eventually([&] { return a.transport.active_since(raft::NodeId(2)) == MonoTime{}; }));
  REQUIRE(eventually([&] {
    a.transport.send({message(MessageType::kHeartbeat, 1, 2)});
    return a.sink.unreachable > 0;
  }));
  const auto dials = a.transport.counters().stream_dials;
  REQUIRE(eventually([&] { return a.transport.counters().stream_dials > dials + 2; }));
}

TEST_CASE("a removed peer hears nothing more and is told so when it dials") {
  Pair pair;
  pair.a.local.removed = 2;
  pair.a.transport.remove_peer(raft::NodeId(2));
  REQUIRE(eventually([&] { return pair.b.sink.removals > 0; }));
  CHECK(pair.a.sink.removals == 0);
  pair.a.transport.send({message(MessageType::kHeartbeat, 1, 2)});
  REQUIRE(eventually([&] { return pair.a.transport.counters().dropped_messages > 0; }));
  CHECK(pair.b.sink.size() == 0);
}

TEST_CASE("a wrong cluster id keeps members apart without killing either") {
  Options options;
  options.dial_interval = std::chrono::milliseconds(10);
  Station a(1, options);
  Station b(2, options, ClusterId(0xd));
  a.knows(2, b.url);
  b.knows(1, a.url);
  a.start();
  b.start();
  a.transport.send({message(MessageType::kVote, 1, 2)});
  REQUIRE(eventually([&] { return a.transport.counters().stream_dials > 6; }));
  CHECK(b.sink.size() == 0);
  CHECK(a.sink.removals == 0);
  CHECK(a.transport.counters().streams_attached == 0);
}

TEST_CASE("heartbeats overtake what waits for a slow reader, and queues stay bounded") {
  Options options;
  options.queue_bytes = 1u << 20;
  Pair pair(options);
  std::vector<raft::Message> bulk;
  for (int i = 0; i < 4000; ++i) {
    raft::Message m = message(MessageType::kAppResp, 1, 2);
    m.context = SharedBytes::copy(std::string(4096, 'c'));
    bulk.push_back(m);
  }
  pair.a.transport.send(bulk);
  pair.a.transport.send({message(MessageType::kHeartbeat, 1, 2)});
  REQUIRE(eventually([&] {
    const auto all = pair.b.sink.messages();
    return std::any_of(all.begin(), all.end(),
                       [](const auto& m) { return m.type == MessageType::kHeartbeat; });
  }));
  const Counters counters = pair.a.transport.counters();
  CHECK(counters.dropped_messages > 0);  // 16 MiB do not fit into 1 MiB at once
  CHECK(pair.a.sink.unreachable > 0);
  REQUIRE(eventually([&] {
    return pair.a.transport.counters().sent_messages +
               pair.a.transport.counters().dropped_messages ==
           4001;
  }));
}

TEST_CASE("a snapshot without its database is not sent; a message to nobody is no loss") {
  Pair pair;
  pair.a.transport.send({message(MessageType::kSnap, 1, 2), message(MessageType::kVote, 1, 0)});
  REQUIRE(eventually([&] { return pair.a.sink.failed_snapshots == 1; }));
  CHECK(pair.a.transport.counters().dropped_messages == 1);
  CHECK(pair.b.sink.size() == 0);
}

TEST_CASE("stopping under load ends at once, with nothing handed over afterwards") {
  auto pair = std::make_unique<Pair>();
  std::atomic<bool> done{false};
  std::thread sender([&] {
    while (!done)
      pair->a.transport.send({append(1, 2, 100), message(MessageType::kHeartbeat, 1, 2)});
  });
  REQUIRE(eventually([&] { return pair->b.sink.size() > 1000; }));
  pair->b.transport.stop();
  const std::size_t size = pair->b.sink.size();
  pair->a.transport.stop();
  done = true;
  sender.join();
  CHECK(pair->b.sink.size() == size);
}
