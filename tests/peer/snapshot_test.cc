// Snapshots from one transport to another.
#include <future>

#include "loopback.h"
#include "truss/peer/snapshot_envelope.h"
#include "truss/test_support/temp_dir.h"

using namespace truss;
using namespace truss::peer;
using namespace truss::peer::testing;

namespace {

/// `size` bytes that tell their place; maybe an error instead of the end.
class Bytes final : public SnapshotSource {
 public:
  Bytes(std::size_t size, bool breaks, std::atomic<int>* alive)
      : left_(size), breaks_(breaks), alive_(alive) {
    ++*alive_;
  }
  ~Bytes() override { --*alive_; }
  Result<std::string> read(std::size_t limit) override {
    if (left_ == 0 && breaks_) return fail(Code::kDataLoss, "the disk is gone");
    std::string piece(std::min(limit, left_), '\0');
    for (char& c : piece) c = static_cast<char>((left_--) * 31 >> 3);
    return piece;
  }
  static std::string all(std::size_t size) {
    std::atomic<int> alive{0};
    return Bytes(size, false, &alive).read(size).value();
  }

 private:
  std::size_t left_;
  bool breaks_;
  std::atomic<int>* alive_;
};

raft::Message snapshot(std::uint64_t index) {
  raft::Message m = message(raft::MessageType::kSnap, 1, 2);
  m.snapshot.data = SharedBytes::copy("{}");
  m.snapshot.metadata.index = raft::Index(index);
  m.snapshot.metadata.term = raft::Term(1);
  m.snapshot.metadata.conf_state.voters = {raft::NodeId(1), raft::NodeId(2)};
  m.has_snapshot = true;
  return m;
}

struct Receiver {
  explicit Receiver(Options options = {}) : a(1, options), b(2, options) {
    b.local.snap_dir = dir.path();
    a.knows(2, b.url);
    a.start();
    b.start();
  }
  std::vector<std::string> files() { return b.local.files.list(dir.path()).value(); }

  test_support::TempDir dir;
  Station a;
  Station b;
};

}  // namespace

TEST_CASE(
    "a snapshot arrives whole, is on disk before raft hears of it, and its source goes first") {
  Receiver r;
  std::atomic<int> sources{0};
  const std::size_t size = 20'000'001;
  r.a.transport.send_snapshot(snapshot(0x1234), std::make_unique<Bytes>(size, false, &sources));
  REQUIRE(eventually([&] { return r.a.sink.delivered_snapshots == 1; }));
  CHECK(sources == 0);
  REQUIRE(r.b.sink.size() == 1);
  CHECK(r.b.sink.messages()[0] == snapshot(0x1234));
  CHECK(r.files() == std::vector<std::string>{"0000000000001234.snap.db"});
  const std::string path = r.dir.path() + "/0000000000001234.snap.db";
  CHECK(read_file(r.b.local.files, path).value() == Bytes::all(size));
  CHECK(r.a.sink.failed_snapshots == 0);
}

TEST_CASE("a database goes out on a thread of its own: messages pass while that one is stuck") {
  Receiver r;
  std::atomic<int> sources{0};
  std::promise<void> stuck;
  r.a.bulk.post([until = stuck.get_future().share()] { until.wait(); });
  r.a.transport.send_snapshot(snapshot(5), std::make_unique<Bytes>(300'000, false, &sources));
  std::vector<raft::Message> one;
  one.push_back(message(raft::MessageType::kHeartbeat, 1, 2));
  r.a.transport.send(std::move(one));
  REQUIRE(eventually([&] { return r.b.sink.size() == 1; }));
  CHECK(r.b.sink.messages()[0].type == raft::MessageType::kHeartbeat);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  CHECK(r.a.sink.delivered_snapshots == 0);
  stuck.set_value();
  REQUIRE(eventually([&] { return r.a.sink.delivered_snapshots == 1; }));
  CHECK(r.b.sink.size() == 2);
}

TEST_CASE("a snapshot under a rate cap arrives whole") {
  Options options;
  options.snapshot_bytes_per_second = 8u << 20;
  Receiver r(options);
  std::atomic<int> sources{0};
  r.a.transport.send_snapshot(snapshot(7), std::make_unique<Bytes>(2'000'000, false, &sources));
  REQUIRE(eventually([&] { return r.a.sink.delivered_snapshots == 1; }));
  CHECK(read_file(r.b.local.files, r.dir.path() + "/0000000000000007.snap.db").value() ==
        Bytes::all(2'000'000));
}

TEST_CASE("half a snapshot leaves nothing behind, and may be sent again") {
  Receiver r;
  std::atomic<int> sources{0};
  r.a.transport.send_snapshot(snapshot(5), std::make_unique<Bytes>(3'000'000, true, &sources));
  REQUIRE(eventually([&] { return r.a.sink.failed_snapshots == 1; }));
  CHECK(sources == 0);
  CHECK(r.b.sink.size() == 0);
  CHECK(eventually([&] { return r.files().empty(); }));
  r.a.transport.send_snapshot(snapshot(5), std::make_unique<Bytes>(3'000'000, false, &sources));
  REQUIRE(eventually([&] { return r.a.sink.delivered_snapshots == 1; }));
  CHECK(r.b.sink.size() == 1);
}

TEST_CASE(
    "a database that doesn't fit is refused, and the next at once, until a while has passed") {
  Receiver r;
  r.b.local.fits = false;
  std::atomic<int> sources{0};
  const auto send = [&] {
    const int before = r.a.sink.failed_snapshots + r.a.sink.delivered_snapshots;
    r.a.transport.send_snapshot(snapshot(5), std::make_unique<Bytes>(3'000'000, false, &sources));
    REQUIRE(eventually(
        [&] { return r.a.sink.failed_snapshots + r.a.sink.delivered_snapshots == before + 1; }));
  };
  send();
  CHECK(r.a.sink.failed_snapshots == 1);
  CHECK(r.b.local.checked == 1);
  r.b.local.fits = true;
  send();
  CHECK(r.a.sink.failed_snapshots == 2);
  CHECK(r.b.local.checked == 1);  // turned away before
  CHECK(r.b.sink.size() == 0);
  CHECK(eventually([&] { return r.files().empty(); }));
  std::this_thread::sleep_for(std::chrono::milliseconds(1050));
  send();
  CHECK(r.a.sink.delivered_snapshots == 1);
  CHECK(r.b.sink.size() == 1);
}

TEST_CASE("a receiver whose disk fails says so") {
  Receiver r;
  r.b.local.snap_dir = r.dir.path() + "/absent";
  std::atomic<int> sources{0};
  r.a.transport.send_snapshot(snapshot(5), std::make_unique<Bytes>(3'000'000, false, &sources));
  REQUIRE(eventually([&] { return r.a.sink.failed_snapshots == 1; }));
  CHECK(r.b.sink.size() == 0);
}

TEST_CASE(
    "a snapshot to nobody, a second one at a time, and one at the stop are reported as failed") {
  Options options;
  options.snapshot_bytes_per_second = 1u << 20;
  auto r = std::make_unique<Receiver>(options);
  std::atomic<int> sources{0};
  raft::Message stray = snapshot(5);
  stray.to = raft::NodeId(99);
  r->a.transport.send_snapshot(stray, std::make_unique<Bytes>(10, false, &sources));
  REQUIRE(eventually([&] { return r->a.sink.failed_snapshots == 1; }));
  r->a.transport.send_snapshot(snapshot(5), std::make_unique<Bytes>(90'000'000, false, &sources));
  r->a.transport.send_snapshot(snapshot(6), std::make_unique<Bytes>(90'000'000, false, &sources));
  REQUIRE(eventually([&] { return r->a.sink.failed_snapshots == 2; }));
  r->a.transport.remove_peer(raft::NodeId(2));
  REQUIRE(eventually([&] { return r->a.sink.failed_snapshots == 3; }));
  CHECK(sources == 0);
  CHECK(eventually([&] { return r->files().empty(); }));
}
