#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "sim_member.h"

/// What connects the members of one simulated world: their peer URLs are addresses on one wire.
namespace truss::server::testing {

class PeerWireTransport;

/// What answers questions at an address where no member runs.
struct FakePeer {
  PeerMembers members;
  PeerVersion version;
  bool downgrade_enabled = false;
};

/// Carries messages and questions between addresses (peer URLs), in order, each after a
/// millisecond; drops those to and from addresses that are cut off or where nobody is.
class PeerWire {
 public:
  explicit PeerWire(SimRuntime& world) : executor_(world.make_executor("wire")), world_(world) {}
  ~PeerWire() { executor_->stop(); }

  void attach(const std::string& url, TransportSink* sink, PeerWireTransport* transport);
  void detach(const std::string& url) { endpoints_.erase(url); }
  /// The member at the address, once it runs: it answers questions.
  void serve(const std::string& url, Server* server);
  void fake(const std::string& url, FakePeer peer) { fakes_[url] = std::move(peer); }
  void cut(const std::string& url) { cut_.insert(url); }
  void heal(const std::string& url) { cut_.erase(url); }
  /// An address that is another's second name (what DNS would do).
  void alias(const std::string& name, const std::string& url) { aliases_[name] = url; }

  /// From now on no snapshot arrives, or all do again.
  void lose_snapshots(bool lose) { lose_snapshots_ = lose; }
  /// A whole snapshot at once: streaming it is another test's business.
  void ship(const std::string& from, const std::string& to, raft::Message message,
            std::shared_ptr<SnapshotReader> db);
  void carry(const std::string& from, const std::string& to, raft::Message message);
  /// Since when both ends are there; MonoTime{} if not.
  MonoTime connected_since(const std::string& a, const std::string& b) const;
  /// The member at `to` as seen from `from`; null if there is none.
  Server* reach(const std::string& from, const std::string& to) const;
  const FakePeer* reach_fake(const std::string& from, const std::string& to) const;
  std::string resolve(const std::string& url) const;
  void after(Duration delay, Task task);
  std::uint64_t questions = 0;  ///< asked so far

 private:
  struct Endpoint {
    TransportSink* sink = nullptr;
    Server* server = nullptr;
    MonoTime since;
    PeerWireTransport* transport = nullptr;
  };
  const Endpoint* find(const std::string& url) const;
  void deliver(const std::string& from, const std::string& to, raft::Message message);

  std::unique_ptr<Executor> executor_;
  SimRuntime& world_;
  std::map<std::string, Endpoint> endpoints_;
  std::map<std::string, FakePeer> fakes_;
  std::map<std::string, std::string> aliases_;
  std::set<std::string> cut_;
  bool lose_snapshots_ = false;
};

/// The transport of the member at `self`: knows its peers by what the server tells it, and can
/// answer others (remotes) that sent it something.
class PeerWireTransport final : public Transport {
 public:
  PeerWireTransport(PeerWire& wire, std::string self) : wire_(wire), self_(std::move(self)) {}
  void start(TransportSink& sink) override { wire_.attach(self_, &sink, this); }
  void stop() override { wire_.detach(self_); }
  void send(std::vector<raft::Message> messages) override;
  void send_snapshot(raft::Message message, std::unique_ptr<SnapshotReader> db) override;
  /// Where received databases go. Before start().
  void set_disk(FileSystem& files) { files_ = &files; }
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
  /// Takes a whole database. Errors: those of the disk.
  Result<> store(raft::Index index, SnapshotReader& db);

 private:
  const std::string* address(raft::NodeId id) const;

  PeerWire& wire_;
  const std::string self_;
  FileSystem* files_ = nullptr;
  std::map<raft::NodeId, std::string> peers_;
  std::map<raft::NodeId, std::string> remotes_;
};

/// The questions of the member at `self`.
class PeerWireQueries final : public PeerQueries {
 public:
  PeerWireQueries(PeerWire& wire, std::string self) : wire_(wire), self_(std::move(self)) {}
  ~PeerWireQueries() override { stop(); }

  void members(const std::string& url, Duration timeout, Callback<PeerMembers> done) override;
  void version(const std::string& url, Duration timeout, Callback<PeerVersion> done) override;
  void downgrade_enabled(const std::string& url, Duration timeout, Callback<bool> done) override;
  void lease_renew(const std::string& url, std::int64_t id, Duration timeout,
                   Callback<std::int64_t> done) override;
  void lease_time_to_live(const std::string& url, std::int64_t id, bool keys, Duration timeout,
                          Callback<lease::LeaseInfo> done) override;
  void promote(const std::string& url, raft::NodeId id, Duration timeout,
               Callback<std::vector<Member>> done) override;
  void hash_kv(const std::string& url, ClusterId cluster, std::int64_t revision, Duration timeout,
               Callback<PeerHashKv> done) override;
  void resolve(const std::string& url, Duration timeout, Callback<std::string> done) override;
  void stop() override;

 private:
  template <class T>
  struct Open;
  template <class T>
  using Handler = std::function<void(Server&, Callback<T>)>;
  /// Answers by the member at `url`, by the fake there, or with kUnavailable.
  template <class T>
  void ask(const std::string& url, Duration timeout, Callback<T> done, Handler<T> handler,
           std::function<Result<T>(const FakePeer&)> fake = nullptr);

  PeerWire& wire_;
  const std::string self_;
  std::vector<std::function<void()>> cancels_;
  bool stopped_ = false;
};

}  // namespace truss::server::testing
