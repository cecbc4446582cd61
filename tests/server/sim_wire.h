#pragma once

#include <list>
#include <map>
#include <memory>
#include <set>

#include "sim_member.h"
#include "truss/snap/db_receiver.h"

/// The network between simulated members.
namespace truss::server::testing {

/// Carries messages between the members of one world, each after a moment of its own, and streams
/// snapshots piece by piece beside them; drops those to and from members that are cut off.
class Wire {
 public:
  struct Endpoint {
    TransportSink* sink = nullptr;
    FileSystem* files = nullptr;
    std::string snap_dir{};
  };
  struct Counts {
    int snapshots_begun = 0;
    int snapshots_delivered = 0;
    int snapshots_failed = 0;
  };

  explicit Wire(SimRuntime& world)
      : executor_(world.make_executor("wire")), world_(world), random_(world.random("wire")) {}
  ~Wire() { executor_->stop(); }

  void attach(raft::NodeId id, Endpoint endpoint) { endpoints_[id] = std::move(endpoint); }
  void detach(raft::NodeId id);
  /// Nothing goes from `from` to `to` any more.
  void block(raft::NodeId from, raft::NodeId to) { blocked_.insert({from, to}); }
  void isolate(raft::NodeId id) { isolated_.insert(id); }
  void heal();
  /// So many messages of a thousand are lost.
  void lose(std::uint64_t per_mille) { lost_per_mille_ = per_mille; }
  /// Each snapshot and its database arrive twice.
  void repeat_snapshots() { repeat_ = true; }
  /// Between two pieces of 4 KiB of a database.
  void pace(Duration piece) { piece_ = piece; }

  void carry(raft::Message message);
  void stream(raft::Message message, std::unique_ptr<SnapshotReader> db);
  const Counts& counts() const { return counts_; }
  /// Sees each message as it sets out.
  std::function<void(const raft::Message&)> tap;

 private:
  struct Transfer {
    raft::Message message;
    std::unique_ptr<SnapshotReader> source;
    std::unique_ptr<snap::DbReceiver> target{};
    bool over = false;
  };
  using Transfers = std::list<std::shared_ptr<Transfer>>;

  bool passes(raft::NodeId from, raft::NodeId to) const;
  void after(Duration delay, Task task);
  void advance(const std::shared_ptr<Transfer>& transfer);
  /// True while there is more to come.
  Result<bool> move_piece(Transfer& transfer);
  void end(Transfer& transfer, bool delivered);

  std::unique_ptr<Executor> executor_;
  SimRuntime& world_;
  SeededRandom random_;
  std::map<raft::NodeId, Endpoint> endpoints_;
  std::set<std::pair<raft::NodeId, raft::NodeId>> blocked_;
  std::set<raft::NodeId> isolated_;
  std::uint64_t lost_per_mille_ = 0;
  bool repeat_ = false;
  Duration piece_ = std::chrono::microseconds(200);
  Transfers transfers_;
  Counts counts_;
};

class WireTransport final : public Transport {
 public:
  WireTransport(Wire& wire, raft::NodeId self) : wire_(wire), self_(self) {}
  /// Where received databases go. Before start().
  void set_disk(FileSystem& files, std::string snap_dir) {
    files_ = &files;
    snap_dir_ = std::move(snap_dir);
  }
  void start(TransportSink& sink) override { wire_.attach(self_, {&sink, files_, snap_dir_}); }
  void stop() override { wire_.detach(self_); }
  void send(std::vector<raft::Message> messages) override {
    for (raft::Message& m : messages) wire_.carry(std::move(m));
  }
  void send_snapshot(raft::Message message, std::unique_ptr<SnapshotReader> db) override {
    wire_.stream(std::move(message), std::move(db));
  }
  void add_peer(raft::NodeId id, const std::vector<std::string>& urls) override {
    peers[id] = urls;
  }
  void remove_peer(raft::NodeId id) override { peers.erase(id); }
  void update_peer(raft::NodeId id, const std::vector<std::string>& urls) override {
    peers[id] = urls;
  }
  MonoTime active_since(raft::NodeId) const override { return MonoTime(Duration(1)); }

  std::map<raft::NodeId, std::vector<std::string>> peers;

 private:
  Wire& wire_;
  const raft::NodeId self_;
  FileSystem* files_ = nullptr;
  std::string snap_dir_;
};

}  // namespace truss::server::testing
