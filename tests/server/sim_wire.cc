#include "sim_wire.h"

namespace truss::server::testing {
namespace {

constexpr Duration kDelay = std::chrono::milliseconds(1);
constexpr std::size_t kPieceBytes = 4096;

}  // namespace

void Wire::attach(const std::string& url, TransportSink* sink, WireTransport* transport) {
  endpoints_[url] = {sink, transport, world_.clock().now()};
}

void Wire::detach(const std::string& url) {
  endpoints_.erase(url);
  for (const auto& transfer : transfers_) {
    if (transfer->from == url || resolve(transfer->to) == url) end(*transfer, false);
  }
}

void Wire::serve(const std::string& url, Server* server) {
  const auto it = endpoints_.find(url);
  if (it != endpoints_.end()) it->second.server = server;
}

std::string Wire::resolve(const std::string& url) const {
  const auto it = aliases_.find(url);
  return it == aliases_.end() ? url : it->second;
}

void Wire::heal(const std::string& url) {
  if (isolated_.erase(url) == 0) return;
  const auto it = endpoints_.find(url);
  if (it != endpoints_.end()) it->second.since = world_.clock().now();
}

void Wire::heal() {
  blocked_.clear();
  while (!isolated_.empty()) heal(std::string(*isolated_.begin()));
  lost_per_mille_ = 0;
}

const Wire::Endpoint* Wire::find(const std::string& url) const {
  const auto it = endpoints_.find(resolve(url));
  return it == endpoints_.end() || isolated_.contains(it->first) ? nullptr : &it->second;
}

bool Wire::is_blocked(const std::string& from, const std::string& to) const {
  return blocked_.contains({from, resolve(to)});
}

MonoTime Wire::connected_since(const std::string& a, const std::string& b) const {
  const Endpoint* one = find(a);
  const Endpoint* other = find(b);
  if (one == nullptr || other == nullptr) return MonoTime{};
  return std::max(one->since, other->since);
}

Server* Wire::reach(const std::string& from, const std::string& to) const {
  if (isolated_.contains(from)) return nullptr;
  const Endpoint* endpoint = find(to);
  return endpoint == nullptr ? nullptr : endpoint->server;
}

const FakePeer* Wire::reach_fake(const std::string& from, const std::string& to) const {
  const auto it = fakes_.find(resolve(to));
  const bool cut = isolated_.contains(from) || isolated_.contains(to);
  return it == fakes_.end() || cut ? nullptr : &it->second;
}

void Wire::after(Duration delay, Task task) {
  executor_->post_at(world_.clock().now() + delay, std::move(task));
}

// --- Messages --------------------------------------------------------------------------------

void Wire::carry(const std::string& from, const std::string& to, raft::Message message) {
  if (tap) tap(message);
  if (lose_proposals_ && message.type == raft::MessageType::kProp) return;
  if (random_.below(1000) < lost_per_mille_) return;
  after(kDelay, [this, from, to, message = std::move(message)]() mutable {
    deliver(from, to, std::move(message));
  });
}

void Wire::deliver(const std::string& from, const std::string& to, raft::Message message) {
  const Endpoint* sender = find(from);
  if (sender == nullptr || is_blocked(from, to) || isolated_.contains(resolve(to))) return;
  const Endpoint* receiver = find(to);
  if (receiver == nullptr) return sender->sink->report_unreachable(message.to);
  if (receiver->server != nullptr && receiver->server->is_removed(message.from)) {
    return sender->sink->removed();
  }
  receiver->transport->meet(message.from, from);
  receiver->sink->receive(std::move(message));
}

// --- Snapshots -------------------------------------------------------------------------------

void Wire::stream(const std::string& from, const std::string& to, raft::Message message,
                  std::unique_ptr<SnapshotReader> db) {
  if (tap) tap(message);
  ++counts_.snapshots_begun;
  transfers_.push_back(
      std::make_shared<Transfer>(Transfer{from, to, std::move(message), std::move(db)}));
  after(piece_, [this, transfer = transfers_.back()] { advance(transfer); });
}

void Wire::advance(const std::shared_ptr<Transfer>& transfer) {
  if (transfer->over) {
    transfers_.remove(transfer);
    return;
  }
  const Result<bool> more = move_piece(*transfer);
  if (more && *more) return after(piece_, [this, transfer] { advance(transfer); });
  end(*transfer, more.has_value());
  transfers_.remove(transfer);
}

Result<bool> Wire::move_piece(Transfer& t) {
  const Endpoint* to = find(t.to);
  if (find(t.from) == nullptr || to == nullptr || is_blocked(t.from, t.to)) {
    return fail(Code::kUnavailable, "cut off");
  }
  if (refuse_) return fail(Code::kFailedPrecondition, "refused");
  if (!t.target) {
    TRUSS_ASSIGN(t.target, to->transport->receive_database());
    if (to->server != nullptr) t.target->watch(to->server->watch_database());
  }
  TRUSS_ASSIGN(const std::string piece, t.source->read(kPieceBytes));
  if (!piece.empty()) {
    TRUSS_TRY(t.target->write(piece));
    return true;
  }
  TRUSS_TRY(t.target->finish(t.message.snapshot.metadata.index));
  to->transport->meet(t.message.from, t.from);
  for (int i = 0; i < (repeat_ ? 2 : 1); ++i) to->sink->receive(t.message);
  return false;
}

void Wire::end(Transfer& t, bool delivered) {
  t.over = true;
  t.source.reset();
  t.target.reset();
  ++(delivered ? counts_.snapshots_delivered : counts_.snapshots_failed);
  const auto from = endpoints_.find(t.from);
  if (from != endpoints_.end()) from->second.sink->report_snapshot(t.message.to, delivered);
}

// --- A member's end --------------------------------------------------------------------------

const std::string* WireTransport::address(raft::NodeId id) const {
  for (const auto* known : {&peers_, &remotes_}) {
    const auto it = known->find(id);
    if (it != known->end()) return &it->second;
  }
  return nullptr;
}

void WireTransport::send(std::vector<raft::Message> messages) {
  for (raft::Message& m : messages) {
    if (const std::string* to = address(m.to)) wire_.carry(self_, *to, std::move(m));
  }
}

void WireTransport::send_snapshot(raft::Message message, std::unique_ptr<SnapshotReader> db) {
  if (const std::string* to = address(message.to)) {
    wire_.stream(self_, *to, std::move(message), std::move(db));
  }
}

Result<std::unique_ptr<snap::DbReceiver>> WireTransport::receive_database() {
  return snap::DbReceiver::create(*files_, snap_dir_, std::nullopt, kDirectAlign);
}

MonoTime WireTransport::active_since(raft::NodeId id) const {
  const auto peer = peers_.find(id);
  return peer == peers_.end() ? MonoTime{} : wire_.connected_since(self_, peer->second);
}

}  // namespace truss::server::testing
