#include "api_fixture.h"

using namespace truss;
using namespace truss::api;
using enum server::CompatLevel;

namespace {

struct Watcher {
  explicit Watcher(SimApi& a) : api(a), port(std::make_shared<FakePort>()) {
    handler = api.open("/etcdserverpb.Watch/Watch", port);
    REQUIRE(handler);
  }
  void send(const pb::WatchRequest& request) {
    handler->on_message(serialize(request));
    api.settle();
  }
  pb::WatchResponse next() {
    auto got = port->take<pb::WatchResponse>();
    REQUIRE(got);
    return *got;
  }
  bool quiet() const { return port->sent.empty(); }

  SimApi& api;
  std::shared_ptr<FakePort> port;
  std::shared_ptr<net::StreamHandler> handler;
};

pb::WatchRequest create(const std::string& key, std::int64_t start = 0) {
  pb::WatchRequest request;
  request.mutable_create_request()->set_key(key);
  request.mutable_create_request()->set_start_revision(start);
  return request;
}

}  // namespace

TEST_CASE("watch: created, events live and from the past, cancel") {
  SimApi api;
  REQUIRE(api.put("k", "1"));
  Watcher w(api);
  w.send(create("k"));
  const auto created = w.next();
  CHECK(created.created());
  CHECK(created.watch_id() == 0);
  CHECK(created.header().revision() == 2);
  CHECK(created.header().cluster_id() == api.server->cluster_id().value());
  w.send(create("k", 1));
  CHECK(w.next().watch_id() == 1);
  const auto past = w.next();
  CHECK(past.watch_id() == 1);
  CHECK(past.events(0).kv().value() == "1");
  REQUIRE(api.put("k", "2"));
  api.settle();
  for (int i = 0; i < 2; ++i) {
    const auto live = w.next();
    CHECK(live.header().revision() == 3);
    CHECK(live.events(0).kv().value() == "2");
  }
  pb::WatchRequest cancel;
  cancel.mutable_cancel_request()->set_watch_id(9);
  w.send(cancel);
  CHECK(w.quiet());
  cancel.mutable_cancel_request()->set_watch_id(0);
  w.send(cancel);
  const auto canceled = w.next();
  CHECK(canceled.canceled());
  CHECK(canceled.watch_id() == 0);
}

TEST_CASE("watch: previous values and filters") {
  SimApi api;
  REQUIRE(api.put("k", "1"));
  Watcher w(api);
  auto request = create("k");
  request.mutable_create_request()->set_prev_kv(true);
  w.send(request);
  CHECK(w.next().created());
  auto deletes_only = create("k");
  deletes_only.mutable_create_request()->add_filters(pb::WatchCreateRequest::NOPUT);
  w.send(deletes_only);
  CHECK(w.next().created());
  REQUIRE(api.put("k", "2"));
  api.settle();
  CHECK(w.next().events(0).prev_kv().value() == "1");
  CHECK(w.quiet());
}

TEST_CASE("watch: refusals") {
  SimApi api;
  Watcher w(api);
  auto empty = create("k");
  empty.mutable_create_request()->set_range_end("a");
  w.send(empty);
  auto refused = w.next();
  CHECK(refused.created());
  CHECK(refused.canceled());
  CHECK(refused.watch_id() == -1);
  CHECK(refused.cancel_reason() == "mvcc: watcher range is empty");
  auto with_id = create("k");
  with_id.mutable_create_request()->set_watch_id(7);
  w.send(with_id);
  CHECK(w.next().watch_id() == 7);
  w.send(with_id);
  refused = w.next();
  CHECK(refused.canceled());
  CHECK(refused.cancel_reason() == "mvcc: duplicate watch ID provided on the WatchStream");
}

TEST_CASE("watch: a negative start is refused from 3.5 on") {
  SimApi api(k36);
  Watcher w(api);
  w.send(create("k", -1));
  const auto refused = w.next();
  CHECK(refused.created());
  CHECK(refused.canceled());
  CHECK(refused.watch_id() == -1);
  CHECK(refused.cancel_reason() == "etcdserver: mvcc: required revision has been compacted");
}

TEST_CASE("watch: a start below the compacted revision") {
  SimApi api;
  for (int i = 0; i < 5; ++i) REQUIRE(api.put("k", "v"));
  pb::CompactionRequest compaction;
  compaction.set_revision(4);
  REQUIRE(api.call<pb::CompactionResponse>("/etcdserverpb.KV/Compact", compaction));
  Watcher w(api);
  w.send(create("k", 3));
  CHECK(w.next().created());
  const auto gone = w.next();
  CHECK(gone.canceled());
  CHECK(gone.compact_revision() == 4);
  CHECK(gone.header().revision() == 0);
  CHECK(gone.cancel_reason().empty());
}

TEST_CASE("watch: progress on request and, for quiet watches, by the clock") {
  Options options;
  options.watch_progress_interval = std::chrono::seconds(2);
  SimApi api(k34, options);
  Watcher w(api);
  pb::WatchRequest progress;
  progress.mutable_progress_request();
  w.send(progress);
  CHECK(w.next().watch_id() == -1);
  auto request = create("k");
  request.mutable_create_request()->set_progress_notify(true);
  w.send(request);
  CHECK(w.next().created());
  api.world.run_for(std::chrono::seconds(3));
  const auto report = w.next();
  CHECK(report.watch_id() == 0);
  CHECK(report.events().empty());
  CHECK(report.header().revision() == 1);
}

TEST_CASE("watch: progress of a stream without watches is reported by 3.4 only") {
  for (const auto level : {k34, k35}) {
    SimApi api(level);
    Watcher w(api);
    pb::WatchRequest progress;
    progress.mutable_progress_request();
    w.send(progress);
    CHECK(w.quiet() == (level > k34));
  }
}

TEST_CASE("watch: a big response is split if the watch allows it") {
  SimApi api;
  Watcher w(api);
  auto request = create("a");
  request.mutable_create_request()->set_range_end("b");
  request.mutable_create_request()->set_fragment(true);
  request.mutable_create_request()->set_start_revision(2);
  for (int i = 0; i < 3; ++i)
    REQUIRE(api.put("a" + std::to_string(i), std::string(1'000'000, 'x')));
  w.send(request);
  CHECK(w.next().created());
  std::vector<std::string> keys;
  bool more = true;
  for (int pieces = 0; more; ++pieces) {
    REQUIRE(pieces < 4);
    const auto piece = w.next();
    more = piece.fragment();
    CHECK(piece.ByteSizeLong() < 2097152);
    for (const auto& event : piece.events()) keys.push_back(event.kv().key());
  }
  CHECK(keys == std::vector<std::string>{"a0", "a1", "a2"});
}

TEST_CASE("watch: a full connection holds responses back, none is lost") {
  SimApi api;
  Watcher w(api);
  w.send(create("k"));
  CHECK(w.next().created());
  w.port->queued = 1u << 20;
  for (int i = 0; i < 200; ++i) REQUIRE(api.put("k", std::to_string(i)));
  api.settle();
  CHECK(w.quiet());
  w.port->queued = 0;
  w.handler->on_writable();
  api.settle();
  int next = 0;
  while (!w.quiet()) {
    const auto response = w.next();
    for (const auto& event : response.events()) {
      CHECK(event.kv().value() == std::to_string(next++));
    }
  }
  CHECK(next == 200);
}

TEST_CASE("watch: malformed input ends the stream, not the others") {
  SimApi api;
  Watcher bad(api);
  Watcher good(api);
  good.send(create("k"));
  CHECK(good.next().created());
  bad.handler->on_message(SharedBytes::copy("\x0a\xff"));
  api.settle();
  REQUIRE(bad.port->finished);
  CHECK(bad.port->finished->code == Code::kInternal);
  CHECK(bad.port->finished->message ==
        "grpc: failed to unmarshal the received message unexpected EOF");
  REQUIRE(api.put("k", "v"));
  api.settle();
  CHECK(good.next().events_size() == 1);
}
