#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "truss/common/coding.h"
#include "truss/common/testing/memory_logger.h"
#include "truss/server/server.h"
#include "truss/test_support/temp_dir.h"

using namespace truss;
using namespace truss::server;

namespace {

/// Counts things down and lets a thread wait for the last.
class Latch {
 public:
  explicit Latch(int count) : count_(count) {}
  void down() {
    std::lock_guard lock(mutex_);
    if (--count_ == 0) zero_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    zero_.wait(lock, [this] { return count_ <= 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable zero_;
  int count_;
};

/// A member on real threads and a real disk.
struct RealMember {
  explicit RealMember(const std::string& dir) {
    Config config;
    config.name = "m1";
    config.data_dir = dir + "/data";
    config.wal_segment_bytes = 1 << 20;
    config.snapshot_count = 500;
    config.snapshot_catch_up_entries = 50;
    config.backend_initial_mmap_bytes = 16 << 20;
    config.backend_map_populate = false;
    auto started = Server::start(config, {runtime, files, random, logger, process, transport});
    REQUIRE_MESSAGE(started, (started ? "" : started.error().message));
    server = *std::move(started);
    Latch ready(1);
    server->on_ready([&] { ready.down(); });
    ready.wait();
  }

  ThreadRuntime runtime;
  PosixFileSystem files;
  SeededRandom random{1};
  truss::testing::MemoryLogger logger{LogLevel::kInfo};
  SystemProcess process;
  NullTransport transport;
  std::unique_ptr<Server> server;
};

std::string put_body(const std::string& key, const std::string& value) {
  std::string body;
  PbWriter out(body);
  out.field_bytes(1, key);
  out.field_bytes(2, value);
  return body;
}

}  // namespace

TEST_CASE("many threads put and read at once; a restart finds all of it") {
  constexpr int kThreads = 4;
  constexpr int kPuts = 400;
  const test_support::TempDir dir;
  {
    RealMember member(dir.path());
    std::atomic<int> failed{0};
    Latch answers(kThreads * kPuts);
    {
      std::vector<Thread> threads;
      for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back("client", [&, t] {
          for (int i = 0; i < kPuts; ++i) {
            const std::string key = std::to_string(t) + "/" + std::to_string(i);
            member.server->propose(Op::kPut, put_body(key, key), [&](Result<ApplyResponse> r) {
              if (!r) ++failed;
              answers.down();
            });
            if (i % 10 == 0) {
              mvcc::RangeRequest all;
              const std::string first(1, '\0');
              all.key = all.range_end = first;
              all.count_only = true;
              if (!member.server->store().range(all)) ++failed;
              (void)member.server->status();
            }
          }
        });
      }
    }
    answers.wait();
    CHECK(failed == 0);
    CHECK(member.server->store().current_revision() == 1 + kThreads * kPuts);
    Latch read(1);
    member.server->linearizable_read_notify([&](Result<> r) {
      if (!r) ++failed;
      read.down();
    });
    read.wait();
    CHECK(failed == 0);
    member.server->stop();
    CHECK(member.server->counters().proposals_applied > kThreads * kPuts);
  }
  RealMember again(dir.path());
  CHECK(again.server->store().current_revision() == 1 + kThreads * kPuts);
  mvcc::RangeRequest one;
  one.key = "3/399";
  const auto found = again.server->store().range(one);
  REQUIRE(found);
  REQUIRE(found->kvs.size() == 1);
  CHECK(found->kvs.front()->value == "3/399");
  again.server->stop();
}

TEST_CASE("a stop in the middle of traffic answers every request once") {
  const test_support::TempDir dir;
  RealMember member(dir.path());
  constexpr int kPuts = 2000;
  std::vector<std::atomic<int>> answers(kPuts);
  Thread client("client", [&] {
    for (int i = 0; i < kPuts; ++i) {
      const auto n = static_cast<std::size_t>(i);
      member.server->propose(Op::kPut, put_body("k", std::to_string(i)),
                             [&answers, n](const Result<ApplyResponse>&) { ++answers[n]; });
    }
  });
  member.server->stop();
  client.join();
  for (const auto& count : answers) CHECK(count == 1);
}
