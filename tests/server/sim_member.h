#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "truss/common/coding.h"
#include "truss/common/testing/memory_logger.h"
#include "truss/common/testing/sim_file_system.h"
#include "truss/common/testing/sim_runtime.h"
#include "truss/mvcc/requests.h"
#include "truss/server/server.h"

/// Whole servers in the simulator.
namespace truss::server::testing {

using truss::testing::MemoryLogger;
using truss::testing::SimFileSystem;
using truss::testing::SimMember;
using truss::testing::SimRuntime;

inline Config small_config() {
  Config config;
  config.name = "m1";
  config.data_dir = "/data";
  config.advertise_peer_urls = {"http://127.0.0.1:24801"};
  config.advertise_client_urls = {"http://127.0.0.1:24800"};
  config.initial_cluster_token = "fix-single";
  config.wal_segment_bytes = 64 * 1024;
  config.backend_initial_mmap_bytes = 1 << 20;
  config.backend_map_populate = false;
  return config;
}

/// An executor that can be made to hang, as a thread does whose disk no longer answers or whose
/// process is stopped.
class HangingExecutor final : public Executor {
 public:
  explicit HangingExecutor(std::unique_ptr<Executor> inner) : inner_(std::move(inner)) {}
  void hang(bool hangs) {
    hangs_ = hangs;
    for (; !hangs_ && !held_.empty(); held_.pop_front()) inner_->post(std::move(held_.front()));
  }
  void post(Task task) override {
    if (hangs_) return held_.push_back(std::move(task));
    inner_->post(std::move(task));
  }
  TimerId post_at(MonoTime when, Task task) override {
    return inner_->post_at(when, [this, task = std::move(task)]() mutable {
      hangs_ ? held_.push_back(std::move(task)) : task();
    });
  }
  void cancel(TimerId id) override { inner_->cancel(id); }
  bool is_current() const override { return inner_->is_current(); }
  void stop() override { inner_->stop(); }
  void wait(const std::function<bool()>& done, const std::function<void()>& block) override {
    inner_->wait(done, block);
  }

 private:
  std::unique_ptr<Executor> inner_;
  std::deque<Task> held_;
  bool hangs_ = false;
};

/// A member's runtime whose threads can hang: that of the WAL alone, or all of them.
class HangingRuntime final : public Runtime {
 public:
  explicit HangingRuntime(Runtime& inner) : inner_(inner) {}
  Clock& clock() override { return inner_.clock(); }
  std::unique_ptr<Executor> make_executor(const std::string& name) override {
    auto hanging = std::make_unique<HangingExecutor>(inner_.make_executor(name));
    threads_[name] = hanging.get();
    return hanging;
  }
  void hang(bool hangs) { threads_.at("wal")->hang(hangs); }
  void hang_all(bool hangs) {
    for (auto& [name, thread] : threads_) thread->hang(hangs);
  }

 private:
  Runtime& inner_;
  std::map<std::string, HangingExecutor*> threads_;
};

/// One member on one disk, from start to stop, kill or death.
class SimServer {
 public:
  SimServer(SimRuntime& world, SimFileSystem& disk, Config config)
      : SimServer(world, disk, std::move(config), no_transport(), "m1") {}
  /// `mounted` hears of the member's own view of the disk before it starts.
  SimServer(SimRuntime& world, SimFileSystem& disk, Config config, Transport& transport,
            const std::string& name, const std::function<void(FileSystem&)>& mounted = {},
            PeerQueries& queries = NullPeerQueries::instance())
      : world_(world), mount_(disk.mount()), member_(world, name), random_(world.random(name)) {
    if (mounted) mounted(*mount_);
    Environment env{runtime_, *mount_, random_, logger_, member_.process(), transport, queries};
    member_.call([&] {
      auto started = Server::start(std::move(config), env);
      if (started) {
        server_ = *std::move(started);
      } else {
        error_ = started.error().message;
      }
    });
  }
  ~SimServer() {
    if (member_.alive()) member_.kill();
    mount_->unmount();
    server_.reset();
  }

  bool started() const { return server_ != nullptr; }
  const std::string& error() const { return error_; }
  Server& operator*() { return *server_; }
  Server* operator->() { return server_.get(); }
  SimMember& member() { return member_; }
  MemoryLogger& logger() { return logger_; }
  /// The disk of the log answers no more, or again.
  void hang_disk(bool hangs) { runtime_.hang(hangs); }
  /// SIGSTOP and SIGCONT. Calls from outside still come in, as from the first thread that wakes.
  void pause(bool paused) { runtime_.hang_all(paused); }
  /// As the member sees its disk.
  FileSystem& files() { return *mount_; }

  /// Until it has published itself.
  bool run_until_ready() {
    auto ready = std::make_shared<bool>(false);
    server_->on_ready([ready] { *ready = true; });
    return world_.run_until([&] { return *ready || !member_.alive(); }) && member_.alive();
  }
  /// Proposes and waits for the answer; nullopt if the member died or nothing came.
  std::optional<Result<ApplyResponse>> ask(Op op, ByteView body) {
    auto answer = std::make_shared<std::optional<Result<ApplyResponse>>>();
    server_->propose(op, body, [answer](Result<ApplyResponse> r) { *answer = std::move(r); });
    world_.run_until([&] { return answer->has_value() || !member_.alive(); },
                     std::chrono::minutes(1));
    return std::move(*answer);
  }
  std::optional<Result<ApplyResponse>> put(ByteView key, ByteView value) {
    return ask(Op::kPut, put_body(key, value));
  }
  bool read_index() {
    auto answer = std::make_shared<std::optional<bool>>();
    server_->linearizable_read_notify([answer](Result<> r) { *answer = r.has_value(); });
    world_.run_until([&] { return answer->has_value() || !member_.alive(); });
    return answer->value_or(false);
  }
  /// The value of a key, nullopt if absent.
  std::optional<std::string> get(ByteView key) {
    mvcc::RangeRequest request;
    request.key = key;
    const auto result = server_->store().range(request);
    if (!result || result->kvs.empty()) return std::nullopt;
    return std::string(result->kvs.front()->value);
  }

  static std::string put_body(ByteView key, ByteView value) {
    std::string body;
    PbWriter out(body);
    out.field_bytes(1, key);
    out.field_bytes(2, value);
    return body;
  }

 private:
  static Transport& no_transport() {
    static NullTransport none;
    return none;
  }

  SimRuntime& world_;
  std::unique_ptr<SimFileSystem> mount_;
  SimMember member_;
  HangingRuntime runtime_{member_};
  SeededRandom random_;
  MemoryLogger logger_{LogLevel::kInfo};
  std::unique_ptr<Server> server_;
  std::string error_;
};

}  // namespace truss::server::testing
