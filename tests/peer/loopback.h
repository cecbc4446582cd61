#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "truss/common/executor.h"
#include "truss/common/file_system.h"
#include "truss/net/http_client.h"
#include "truss/net/io_thread.h"
#include "truss/net/server.h"
#include "truss/peer/text.h"
#include "truss/peer/transport.h"

namespace truss::peer::testing {

/// Waits until `condition` holds; false after ten seconds.
inline bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 2000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return condition();
}

/// Keeps what the transport hands over. Thread: any.
class RecordingSink final : public Sink {
 public:
  void receive(raft::Message message) override {
    const std::lock_guard lock(mutex_);
    messages_.push_back(std::move(message));
  }
  void report_unreachable(raft::NodeId) override { ++unreachable; }
  void report_snapshot(raft::NodeId, bool delivered) override {
    ++(delivered ? delivered_snapshots : failed_snapshots);
  }
  void removed() override { ++removals; }

  std::vector<raft::Message> messages() const {
    const std::lock_guard lock(mutex_);
    return messages_;
  }
  std::size_t size() const { return messages().size(); }

  std::atomic<int> unreachable{0};
  std::atomic<int> delivered_snapshots{0};
  std::atomic<int> failed_snapshots{0};
  std::atomic<int> removals{0};

 private:
  mutable std::mutex mutex_;
  std::vector<raft::Message> messages_;
};

/// Answers as a test sets it up before the start.
class FakeMember final : public LocalMember {
 public:
  Versions versions() const override { return {"3.4.23", "3.4.0", std::nullopt}; }
  std::string members_json() const override { return "[]"; }
  bool is_removed(raft::NodeId id) const override { return id.value() == removed; }
  void renew_lease(std::int64_t id, Done<std::int64_t> done) override {
    if (id == 404) return done(fail(Code::kNotFound, "lease not found"));
    if (id == 408) return done(fail(Code::kDeadlineExceeded, "too late"));
    if (id == 400) return done(fail(Code::kUnavailable, "not primary"));
    done(60);
  }
  void lease_time_to_live(std::int64_t id, bool keys, Done<LeaseTimeToLive> done) override {
    if (id == 404) return done(fail(Code::kNotFound, "lease not found"));
    done(LeaseTimeToLive{id, 50, 60,
                         keys ? std::vector<std::string>{"k"} : std::vector<std::string>{}});
  }
  void promote(raft::NodeId id, Done<std::string> done) override {
    if (id.value() == 404) return done(fail(Code::kNotFound, "membership: ID not found"));
    if (id.value() == 412) {
      return done(fail(Code::kFailedPrecondition, "membership: can only promote a learner member"));
    }
    if (id.value() == 500) return done(fail(Code::kUnavailable, "no leader"));
    done("[]");
  }
  void hash_kv(std::int64_t revision, Done<HashKv> done) override {
    if (revision > 100) {
      return done(fail(Code::kOutOfRange, "mvcc: required revision is a future revision"));
    }
    done(HashKv{276, 3633481485, 120, revision});
  }
  void downgrade_enabled(Done<bool> done) override { done(false); }
  Result<std::unique_ptr<snap::DbReceiver>> receive_db() override {
    return snap::DbReceiver::create(files, snap_dir);
  }
  void check_snapshot(const raft::Message&, const std::string& path, Done<void> done) override {
    ++checked;
    if (fits) return done({});
    REQUIRE(files.remove(path));
    done(fail(Code::kFailedPrecondition, "it doesn't fit"));
  }

  std::atomic<std::uint64_t> removed{0};
  std::atomic<bool> fits{true};  ///< databases that come in
  std::atomic<int> checked{0};
  PosixFileSystem files;
  std::string snap_dir;
};

/// A whole peer port and the transport behind it, on one thread.
struct Station {
  explicit Station(std::uint64_t id, Options given = {}, ClusterId cluster = ClusterId(0xc))
      : transport(thread, bulk, runtime, logger, given) {
    net::ServerOptions net;
    net.stream_high_water = given.unsent_bytes;
    net.stream_low_water = given.unsent_bytes / 2;
    net.unsent_kernel_bytes = given.unsent_bytes;
    net.http_read_timeout = given.read_timeout;
    net.write_timeout = std::chrono::seconds(5);
    server = std::make_unique<net::Server>(net, thread, runtime.clock(), logger);
    transport.install(*server);
    url = "http://" + server->listen({"127.0.0.1:0", net::Protocols::kHttpOnly}).value();
    transport.identify({.self = raft::NodeId(id),
                        .cluster = cluster,
                        .server_version = "3.4.23",
                        .form = raft::MessageForm::k34,
                        .peer_urls = {url}});
  }
  ~Station() {
    transport.stop();
    server->stop();
  }

  void start() {
    transport.start(sink, local);
    server->start();
  }
  void knows(std::uint64_t id, const std::string& at) {
    transport.add_peer(raft::NodeId(id), {at});
  }

  ThreadRuntime runtime;
  NullLogger logger;
  net::IoThread thread{"peer", runtime.clock()};
  net::IoThread bulk{"bulk", runtime.clock()};
  RecordingSink sink;
  FakeMember local;
  Transport transport;
  std::unique_ptr<net::Server> server;
  std::string url;
};

inline raft::Message message(raft::MessageType type, std::uint64_t from, std::uint64_t to,
                             std::uint64_t term = 1) {
  raft::Message m;
  m.type = type;
  m.from = raft::NodeId(from);
  m.to = raft::NodeId(to);
  m.term = raft::Term(term);
  return m;
}

}  // namespace truss::peer::testing
