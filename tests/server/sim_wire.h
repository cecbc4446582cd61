#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "sim_member.h"
#include "truss/snap/db_receiver.h"

/// The network between the members of one simulated world: their peer URLs are addresses on it.
namespace truss::server::testing {

class WireTransport;

/// What answers questions at an address where no member runs.
struct FakePeer {
  PeerMembers members;
  PeerVersion version;
  bool downgrade_enabled = false;
};

/// Carries messages and questions between addresses, in order, each after a millisecond, and
/// streams snapshots piece by piece beside them; drops those to and from addresses that are cut
/// off, and lets the sender know where nobody is.
class Wire {
 public:
  struct Counts {
    int snapshots_begun = 0;
    int snapshots_delivered = 0;
    int snapshots_failed = 0;
  };

  explicit Wire(SimRuntime& world)
      : executor_(world.make_executor("wire")), world_(world), random_(world.random("wire")) {}
  ~Wire() { executor_->stop(); }

  void attach(const std::string& url, TransportSink* sink, WireTransport* transport);
  void detach(const std::string& url);
  /// The member at the address, once it runs: it answers questions.
  void serve(const std::string& url, Server* server);
  void fake(const std::string& url, FakePeer peer) { fakes_[url] = std::move(peer); }
  /// An address that is another's second name (what DNS would do).
  void alias(const std::string& name, const std::string& url) { aliases_[name] = url; }
  std::string resolve(const std::string& url) const;

  /// No message or snapshot goes from `from` to `to` any more.
  void block(const std::string& from, const std::string& to) { blocked_.insert({from, to}); }
  void isolate(const std::string& url) { isolated_.insert(url); }
  void heal(const std::string& url);
  /// Ends all of that, and losses.
  void heal();
  /// So many messages of a thousand are lost.
  void lose(std::uint64_t per_mille) { lost_per_mille_ = per_mille; }
  /// Each snapshot and its database arrive twice.
  void repeat_snapshots() { repeat_ = true; }
  /// Each snapshot is turned away at its first bytes, or no longer.
  void refuse_snapshots(bool refuse) { refuse_ = refuse; }
  /// From now on no proposal of another member reaches its leader.
  void lose_proposals() { lose_proposals_ = true; }
  /// Between two pieces of 4 KiB of a database.
  void pace(Duration piece) { piece_ = piece; }

  void carry(const std::string& from, const std::string& to, raft::Message message);
  void stream(const std::string& from, const std::string& to, raft::Message message,
              std::unique_ptr<SnapshotReader> db);
  /// Since when both ends are there; MonoTime{} if not.
  MonoTime connected_since(const std::string& a, const std::string& b) const;
  /// The member at `to` as seen from `from`; null if there is none.
  Server* reach(const std::string& from, const std::string& to) const;
  const FakePeer* reach_fake(const std::string& from, const std::string& to) const;
  void after(Duration delay, Task task);

  const Counts& counts() const { return counts_; }
  std::uint64_t questions = 0;  ///< asked so far
  /// Sees each message as it sets out.
  std::function<void(const raft::Message&)> tap;

 private:
  struct Endpoint {
    TransportSink* sink = nullptr;
    WireTransport* transport = nullptr;
    MonoTime since;
    Server* server = nullptr;
  };
  struct Transfer {
    std::string from;
    std::string to;
    raft::Message message;
    std::unique_ptr<SnapshotReader> source;
    std::unique_ptr<snap::DbReceiver> target{};
    bool over = false;
  };

  const Endpoint* find(const std::string& url) const;
  bool is_blocked(const std::string& from, const std::string& to) const;
  void deliver(const std::string& from, const std::string& to, raft::Message message);
  void advance(const std::shared_ptr<Transfer>& transfer);
  /// True while there is more to come.
  Result<bool> move_piece(Transfer& transfer);
  void end(Transfer& transfer, bool delivered);

  std::unique_ptr<Executor> executor_;
  SimRuntime& world_;
  SeededRandom random_;
  std::map<std::string, Endpoint> endpoints_;
  std::map<std::string, FakePeer> fakes_;
  std::map<std::string, std::string> aliases_;
  std::set<std::pair<std::string, std::string>> blocked_;
  std::set<std::string> isolated_;
  std::uint64_t lost_per_mille_ = 0;
  bool repeat_ = false;
  bool refuse_ = false;
  bool lose_proposals_ = false;
  Duration piece_ = std::chrono::microseconds(200);
  std::list<std::shared_ptr<Transfer>> transfers_;
  Counts counts_;
};

/// The transport of the member at `self`: knows its peers by what the server tells it, and can
/// answer others (remotes) that sent it something.
class WireTransport final : public Transport {
 public:
  WireTransport(Wire& wire, std::string self) : wire_(wire), self_(std::move(self)) {}
  /// Where received databases go. Before start().
  void set_disk(FileSystem& files, std::string snap_dir) {
    files_ = &files;
    snap_dir_ = std::move(snap_dir);
  }
  Result<std::unique_ptr<snap::DbReceiver>> receive_database();

  void start(TransportSink& sink) override { wire_.attach(self_, &sink, this); }
  void stop() override { wire_.detach(self_); }
  void send(std::vector<raft::Message> messages) override;
  void send_snapshot(raft::Message message, std::unique_ptr<SnapshotReader> db) override;
  void add_peer(raft::NodeId id, const std::vector<std::string>& urls) override {
    peers_.emplace(id, urls.front());
  }
  void remove_peer(raft::NodeId id) override { peers_.erase(id); }
  void update_peer(raft::NodeId id, const std::vector<std::string>& urls) override {
    peers_[id] = urls.front();
  }
  MonoTime active_since(raft::NodeId id) const override;
  const std::map<raft::NodeId, std::string>& peers() const { return peers_; }
  /// Hears of whoever sends here.
  void meet(raft::NodeId id, const std::string& url) { remotes_.insert_or_assign(id, url); }

 private:
  const std::string* address(raft::NodeId id) const;

  Wire& wire_;
  const std::string self_;
  FileSystem* files_ = nullptr;
  std::string snap_dir_;
  std::map<raft::NodeId, std::string> peers_;
  std::map<raft::NodeId, std::string> remotes_;
};

}  // namespace truss::server::testing
