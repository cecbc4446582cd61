#include <map>

#include "fixture.h"
#include "truss/common/random.h"

using namespace truss;
using namespace truss::mvcc;
using Strings = std::vector<std::string>;

namespace {

/// A stream with a queue of its own.
struct Watching {
  explicit Watching(Fixture& f, std::size_t limit = WatchQueue::kLimit)
      : fixture(f),
        queue(std::make_shared<WatchQueue>([this] { ++wakes; }, limit)),
        stream(f.store->watch_stream(queue)) {}

  /// Next response; runs the background work first. What several watches get comes once for each.
  std::optional<WatchResponse> next() {
    fixture.world.run_until_idle();
    if (!shared) shared = queue->take();
    if (!shared) return std::nullopt;
    WatchResponse out = *shared;
    out.others.clear();
    if (shared->others.empty()) {
      shared.reset();
    } else {
      shared->watch_id = shared->others.front();
      shared->others.erase(shared->others.begin());
    }
    return out;
  }
  /// All that is there as text: "1: put a=1@2", "created 0", "canceled 0 compacted 5", ...
  Strings all() {
    Strings out;
    while (auto response = next()) out.push_back(text(*response));
    return out;
  }
  static std::string text(const WatchResponse& r) {
    std::string out = std::to_string(r.watch_id) + ":";
    if (r.created) out += " created";
    if (r.canceled) out += " canceled";
    if (r.compact_revision != 0) out += " compacted " + std::to_string(r.compact_revision);
    if (!r.cancel_reason.empty()) out += " " + r.cancel_reason;
    for (const Event& e : r.events) {
      out += e.type == Event::Type::kPut ? " put " : " del ";
      out += std::string(e.kv->key) + "=" + std::string(e.kv->value) + "@" +
             std::to_string(e.kv->mod_revision);
    }
    return out + " r" + std::to_string(r.revision);
  }

  Fixture& fixture;
  int wakes = 0;
  std::optional<WatchResponse> shared;
  std::shared_ptr<WatchQueue> queue;
  std::unique_ptr<WatchStream> stream;
};

}  // namespace

TEST_CASE("a watch gets later changes of its keys, one response a revision") {
  Fixture f;
  f.put("a", "0");
  Watching w(f);
  CHECK(w.stream->create({.key = "a", .range_end = "c"}) == 0);
  f.put("a", "1");
  f.put("x", "1");
  f.del("a");
  {
    WriteTxn txn = f.store->write();
    txn.put("b", "1", kNoLease);
    txn.put("c", "1", kNoLease);
    txn.put("a", "2", kNoLease);
  }
  CHECK(w.all() ==
        Strings{"0: created r2", "0: put a=1@3 r3", "0: del a=@5 r5", "0: put b=1@6 put a=2@6 r6"});
}

TEST_CASE("watch ids: the next free one, the client's own, duplicates") {
  Fixture f;
  Watching w(f);
  CHECK(w.stream->create({.key = "a"}) == 0);
  CHECK(w.stream->create({.key = "a", .watch_id = 2}) == 2);
  CHECK(w.stream->create({.key = "a"}) == 1);
  CHECK(w.stream->create({.key = "a"}) == 3);
  CHECK(w.stream->create({.key = "a", .watch_id = 3}) == -1);
  CHECK(w.stream->create({.key = "b", .range_end = "a"}) == -1);
  CHECK(w.stream->create({.key = "", .range_end = kAll}) == 4);
  CHECK(w.stream->cancel(3));
  CHECK_FALSE(w.stream->cancel(3));
  CHECK(w.stream->create({.key = "a"}) == 5);
  CHECK(w.stream->size() == 5);
  const Strings all = w.all();
  CHECK(all[4] == "-1: created canceled mvcc: duplicate watch ID provided on the WatchStream r1");
  CHECK(all[5] == "-1: created canceled mvcc: watcher range is empty r1");
  CHECK(all[7] == "3: canceled r1");
}

TEST_CASE("an empty key without end watches the key of one zero byte") {
  Fixture f;
  Watching w(f);
  w.stream->create({});
  f.put("a", "1");
  f.put(ByteView("\0", 1), "1");
  CHECK(w.all().size() == 2);
}

TEST_CASE("filters drop events and then empty responses") {
  Fixture f;
  Watching w(f);
  w.stream->create({.key = "a", .no_put = true});
  w.stream->create({.key = "a", .no_delete = true});
  f.put("a", "1");
  f.del("a");
  CHECK(w.all() == Strings{"0: created r1", "1: created r1", "1: put a=1@2 r2", "0: del a=@3 r3"});
}

TEST_CASE("history is replayed from the start revision, then the watch is live") {
  Fixture f;
  for (int i = 0; i < 6; ++i) f.put("a", std::to_string(i));
  f.backend->force_commit();
  f.put("a", "6");
  Watching w(f);
  w.stream->create({.key = "a", .start_revision = 5});
  CHECK(w.all() == Strings{"0: created r8", "0: put a=3@5 put a=4@6 put a=5@7 put a=6@8 r8"});
  f.put("a", "7");
  CHECK(w.all() == Strings{"0: put a=7@9 r9"});
}

TEST_CASE("changes between creation and replay come once, in order") {
  Fixture f;
  for (int i = 0; i < 3; ++i) f.put("a", std::to_string(i));
  Watching w(f);
  w.stream->create({.key = "a", .start_revision = 3});
  f.put("a", "3");
  CHECK(w.all() == Strings{"0: created r4", "0: put a=1@3 put a=2@4 put a=3@5 r5"});
}

TEST_CASE("a replay never splits a revision and holds at most 1000 revisions a response") {
  Fixture f;
  const int revisions = 2500;
  for (int i = 0; i < revisions; ++i) {
    WriteTxn txn = f.store->write();
    txn.put("a", std::to_string(i), kNoLease);
    txn.put("b", std::to_string(i), kNoLease);
    txn.put("c", std::to_string(i), kNoLease);
  }
  Watching w(f);
  w.stream->create({.key = "a", .range_end = kAll, .start_revision = 2});
  CHECK(w.next()->created);
  std::vector<std::size_t> sizes;
  std::int64_t last = 1;
  while (auto response = w.next()) {
    sizes.push_back(response->events.size());
    CHECK(response->events.front().kv->mod_revision == last + 1);
    last = response->events.back().kv->mod_revision;
    CHECK(response->events.back().kv->key == "c");
  }
  CHECK(sizes == std::vector<std::size_t>{3000, 3000, 1500});
}

TEST_CASE("a start in the future waits for it") {
  Fixture f;
  Watching w(f);
  w.stream->create({.key = "a", .start_revision = 4});
  for (int i = 0; i < 4; ++i) f.put("a", std::to_string(i));
  CHECK(w.all() == Strings{"0: created r1", "0: put a=2@4 r4", "0: put a=3@5 r5"});
}

TEST_CASE("a start below the compacted revision is cancelled, at it is fine") {
  Fixture f;
  for (int i = 0; i < 6; ++i) f.put("a", std::to_string(i));
  f.compact(5);
  Watching w(f);
  w.stream->create({.key = "a", .start_revision = 4});
  CHECK(w.all() == Strings{"0: created r7", "0: canceled compacted 5 r0"});
  CHECK(w.stream->size() == 0);
  w.stream->create({.key = "a", .start_revision = 5});
  CHECK(w.all() == Strings{"1: created r7", "1: put a=3@5 put a=4@6 put a=5@7 r7"});
  w.stream->create({.key = "a", .start_revision = -3});
  CHECK(w.all() == Strings{"2: created r7", "2: canceled compacted 5 r0"});
}

TEST_CASE("prev_kv is the value before, nothing for a creation or past a compaction") {
  Fixture f;
  f.put("a", "1");
  f.put("a", "2");
  f.del("a");
  Watching w(f);
  w.stream->create({.key = "a", .start_revision = 2, .prev_kv = true});
  w.next();
  auto response = w.next();
  REQUIRE(response);
  CHECK(response->prev_kv);
  w.stream->fill_prev_kv(*response);
  REQUIRE(response->events.size() == 3);
  CHECK_FALSE(response->events[0].prev_kv);
  CHECK(response->events[1].prev_kv.value()->value == "1");
  CHECK(response->events[2].prev_kv.value()->value == "2");
  f.compact(4);
  std::vector<Event> bare = response->events.copy();
  for (Event& e : bare) e.prev_kv.reset();
  response->events = std::move(bare);
  w.stream->fill_prev_kv(*response);
  CHECK_FALSE(response->events[1].prev_kv);
}

TEST_CASE("progress: one answer for the stream if all its watches are synced") {
  Fixture f;
  Watching w(f);
  w.stream->request_progress();
  CHECK(w.all() == Strings{"-1: r1"});
  for (int i = 0; i < 3; ++i) f.put("a", "1");
  w.stream->create({.key = "a"});
  w.stream->create({.key = "a", .start_revision = 2});
  w.stream->request_progress();  // the second isn't synced yet
  CHECK(w.all() ==
        Strings{"0: created r4", "1: created r4", "1: put a=1@2 put a=1@3 put a=1@4 r4"});
  w.stream->request_progress();
  CHECK(w.stream->request_progress(1));
  CHECK_FALSE(w.stream->request_progress(7));
  CHECK(w.all() == Strings{"-1: r4", "1: r4"});
  w.stream->create({.key = "a", .start_revision = 9});
  w.stream->request_progress();
  CHECK(w.all() == Strings{"2: created r4"});
}

TEST_CASE("a slow consumer loses nothing and holds up nobody") {
  Fixture f;
  Watching slow(f, 3), fast(f);
  slow.stream->create({.key = "a", .start_revision = 0});
  fast.stream->create({.key = "a"});
  CHECK(slow.next()->created);
  CHECK(fast.next()->created);
  for (int i = 0; i < 50; ++i) f.put("a", std::to_string(i));
  CHECK(fast.all().size() == 50);
  CHECK(slow.queue->size() == 3);
  CHECK(f.store->watch_stats().slow_watchers == 1);
  std::int64_t last = 1;
  for (int round = 0; round < 100 && last < 51; ++round) {
    while (auto response = slow.queue->take()) {
      for (const Event& event : response->events) CHECK(event.kv->mod_revision == ++last);
    }
    f.world.run_for(std::chrono::milliseconds(11));
  }
  CHECK(last == 51);
  CHECK(f.store->watch_stats().slow_watchers == 0);
  f.put("a", "live");
  CHECK(slow.all().size() == 1);
}

TEST_CASE("watches that get the same share it: live, held back and replayed") {
  Fixture f;
  Watching w(f, 2);
  for (int i = 0; i < 3; ++i) w.stream->create({.key = "a"});
  w.stream->create({.key = "a", .prev_kv = true});
  w.stream->create({.key = "b"});
  CHECK(w.all().size() == 5);
  for (int i = 0; i < 4; ++i) f.put("a", std::to_string(i));
  // Room for one revision: for the three alike and the one that also wants the value before.
  CHECK(w.queue->size() == 2);
  const auto live = w.queue->take();
  REQUIRE(live);
  CHECK(live->watch_id == 0);
  CHECK(live->others == std::vector<std::int64_t>{1, 2});
  const auto with_previous = w.queue->take();
  REQUIRE(with_previous);
  CHECK(with_previous->watch_id == 3);
  CHECK(with_previous->events.shares(live->events));
  std::map<std::int64_t, std::int64_t> last = {{0, 2}, {1, 2}, {2, 2}, {3, 2}};
  for (int round = 0; round < 20; ++round) {
    f.world.run_for(std::chrono::milliseconds(11));
    while (auto response = w.next())
      for (const Event& e : response->events)
        CHECK(e.kv->mod_revision == ++last[response->watch_id]);
  }
  CHECK(last == std::map<std::int64_t, std::int64_t>{{0, 5}, {1, 5}, {2, 5}, {3, 5}});
  CHECK(f.store->watch_stats().slow_watchers == 0);
}

TEST_CASE("closing a stream ends its offers; closing the store ends them all") {
  Fixture f;
  auto queue = std::make_shared<WatchQueue>(nullptr);
  auto stream = f.store->watch_stream(queue);
  stream->create({.key = "a"});
  stream.reset();
  f.put("a", "1");
  CHECK(queue->size() == 1);
  CHECK(f.store->watch_stats().watchers == 0);
  auto late = f.store->watch_stream(queue);
  f.shut();
  CHECK(late->create({.key = "a"}) == -1);
}

TEST_CASE("after the store is replaced, watches replay what they lack") {
  Fixture f;
  Watching w(f);
  f.put("a", "1");
  w.stream->create({.key = "a"});
  CHECK(w.all().size() == 1);
  // Another db, further on, as a snapshot from the leader would be.
  REQUIRE(f.disk.make_dir("/other"));
  auto other = Backend::open(f.disk, *f.backend_executor, f.world.clock(), f.world.process(),
                             f.logger, {.path = "/other/db"});
  REQUIRE(other);
  const auto record = [](std::int64_t revision, ByteView value) {
    return schema::encode_key_value({"a", 2, revision, revision - 1, value, 0});
  };
  for (std::int64_t r = 2; r <= 5; ++r)
    (*other)->put_revision({r, 0}, false, record(r, std::to_string(r)));
  (*other)->close();
  other->reset();
  bool installed = false;
  f.store->install("/other/db", [&] { installed = true; });
  REQUIRE(f.world.run_until([&] { return installed; }));
  CHECK(w.all() == Strings{"0: put a=3@3 put a=4@4 put a=5@5 r5"});
  CHECK(f.put("a", "next") == 6);
  CHECK(w.all() == Strings{"0: put a=next@6 r6"});
}

TEST_CASE("many random watches each see exactly the changes of their range") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    INFO("seed ", seed);
    Fixture f({}, seed);
    SeededRandom random(seed);
    struct Watch {
      std::string key, end;
      std::int64_t start;
      std::vector<std::string> seen;
    };
    std::map<std::int64_t, Watch> watches;
    std::vector<std::pair<std::string, std::string>> history;  // key, "key@revision"
    Watching w(f, 5);
    const auto drain = [&] {
      while (auto response = w.queue->take()) {
        std::vector<std::int64_t> ids = response->others;
        ids.push_back(response->watch_id);
        for (const std::int64_t id : ids)
          for (const Event& e : response->events)
            watches.at(id).seen.push_back(std::string(e.kv->key) + "@" +
                                          std::to_string(e.kv->mod_revision));
      }
    };
    const auto key = [&] { return std::string(1, static_cast<char>('a' + random.below(8))); };
    for (int step = 0; step < 400; ++step) {
      switch (random.below(8)) {
        case 0: {
          Watch watch{key(), "", 0, {}};
          if (random.below(2) == 0) watch.end = random.below(4) == 0 ? std::string(kAll) : key();
          const std::int64_t now = f.store->current_revision();
          watch.start =
              static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(now) + 3));
          const std::int64_t id = w.stream->create(
              {.key = watch.key, .range_end = watch.end, .start_revision = watch.start});
          if (watch.start == 0) watch.start = now + 1;
          if (id >= 0) watches.emplace(id, watch);
          break;
        }
        case 1:
          drain();
          break;
        case 2:
          f.world.run_for(std::chrono::milliseconds(random.below(30)));
          break;
        default: {
          const std::string k = key();
          const std::int64_t revision = f.put(k, "v");
          history.emplace_back(k, k + "@" + std::to_string(revision));
        }
      }
    }
    for (int i = 0; i < 400; ++i) {
      drain();
      f.world.run_for(std::chrono::milliseconds(11));
    }
    for (const auto& [id, watch] : watches) {
      Strings want;
      for (const auto& [k, text] : history) {
        const std::int64_t revision = std::stoll(text.substr(2));
        const bool inside = watch.end.empty()
                                ? k == watch.key
                                : k >= watch.key && (watch.end == kAll || k < watch.end);
        if (inside && revision >= watch.start) want.push_back(text);
      }
      CHECK(watch.seen == want);
    }
  }
}
