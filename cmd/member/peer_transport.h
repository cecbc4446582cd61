#pragma once

#include <memory>
#include <string>
#include <vector>

#include "truss/peer/transport.h"
#include "truss/server/transport.h"

namespace truss::member {

/// The server's transport port on top of libs/peer. Thread: any.
class PeerTransport final : public server::Transport {
 public:
  /// `local` answers what peers ask; both must outlive stop().
  PeerTransport(peer::Transport& transport, peer::LocalMember& local,
                std::vector<std::string> advertised_urls);
  ~PeerTransport() override;

  void identify(const server::TransportIdentity& who) override;
  void start(server::TransportSink& sink) override;
  void stop() override;
  void send(std::vector<raft::Message> messages) override;
  void send_snapshot(raft::Message message, std::unique_ptr<server::SnapshotReader> db) override;
  void add_peer(raft::NodeId id, const std::vector<std::string>& peer_urls) override;
  void remove_peer(raft::NodeId id) override;
  void update_peer(raft::NodeId id, const std::vector<std::string>& peer_urls) override;
  MonoTime active_since(raft::NodeId id) const override;

 private:
  class Sink;
  peer::Transport& transport_;
  peer::LocalMember& local_;
  std::vector<std::string> advertised_urls_;
  std::unique_ptr<Sink> sink_;
};

}  // namespace truss::member
