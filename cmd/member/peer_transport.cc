#include "peer_transport.h"

namespace truss::member {
namespace {

class Source final : public peer::SnapshotSource {
 public:
  explicit Source(std::unique_ptr<server::SnapshotReader> reader) : reader_(std::move(reader)) {}
  Result<std::string> read(std::size_t limit) override { return reader_->read(limit); }

 private:
  std::unique_ptr<server::SnapshotReader> reader_;
};

}  // namespace

class PeerTransport::Sink final : public peer::Sink {
 public:
  explicit Sink(server::TransportSink& sink) : sink_(sink) {}
  void receive(raft::Message message) override { sink_.receive(std::move(message)); }
  void receive_all(std::vector<raft::Message> messages) override {
    sink_.receive_all(std::move(messages));
  }
  void report_unreachable(raft::NodeId peer) override { sink_.report_unreachable(peer); }
  void report_snapshot(raft::NodeId peer, bool delivered) override {
    sink_.report_snapshot(peer, delivered);
  }
  void removed() override { sink_.removed(); }

 private:
  server::TransportSink& sink_;
};

PeerTransport::PeerTransport(peer::Transport& transport, peer::LocalMember& local,
                             std::vector<std::string> advertised_urls)
    : transport_(transport), local_(local), advertised_urls_(std::move(advertised_urls)) {}

PeerTransport::~PeerTransport() = default;

void PeerTransport::identify(const server::TransportIdentity& who) {
  const bool older = who.level < server::CompatLevel::k36;
  transport_.identify({.self = who.self,
                       .cluster = peer::ClusterId(who.cluster.value()),
                       .server_version = std::string(server::server_version(who.level)),
                       .form = older ? raft::MessageForm::k34 : raft::MessageForm::k36,
                       .peer_urls = advertised_urls_});
}

void PeerTransport::start(server::TransportSink& sink) {
  sink_ = std::make_unique<Sink>(sink);
  transport_.start(*sink_, local_);
}

void PeerTransport::stop() { transport_.stop(); }

void PeerTransport::send(std::vector<raft::Message> messages) {
  transport_.send(std::move(messages));
}

void PeerTransport::send_snapshot(raft::Message message,
                                  std::unique_ptr<server::SnapshotReader> db) {
  transport_.send_snapshot(std::move(message), std::make_unique<Source>(std::move(db)));
}

void PeerTransport::add_peer(raft::NodeId id, const std::vector<std::string>& peer_urls) {
  transport_.add_peer(id, peer_urls);
}

void PeerTransport::remove_peer(raft::NodeId id) { transport_.remove_peer(id); }

void PeerTransport::update_peer(raft::NodeId id, const std::vector<std::string>& peer_urls) {
  transport_.update_peer(id, peer_urls);
}

MonoTime PeerTransport::active_since(raft::NodeId id) const { return transport_.active_since(id); }

}  // namespace truss::member
