#include "sim_wire.h"

namespace truss::server::testing {
namespace {

constexpr std::size_t kPieceBytes = 4096;

}  // namespace

void Wire::detach(raft::NodeId id) {
  endpoints_.erase(id);
  for (const auto& transfer : transfers_) {
    if (transfer->message.from == id || transfer->message.to == id) end(*transfer, false);
  }
}

void Wire::heal() {
  blocked_.clear();
  isolated_.clear();
  lost_per_mille_ = 0;
}

bool Wire::passes(raft::NodeId from, raft::NodeId to) const {
  return endpoints_.contains(from) && endpoints_.contains(to) && !blocked_.contains({from, to}) &&
         !isolated_.contains(from) && !isolated_.contains(to);
}

void Wire::after(Duration delay, Task task) {
  executor_->post_at(world_.clock().now() + delay, std::move(task));
}

void Wire::carry(raft::Message message) {
  if (tap) tap(message);
  if (random_.below(1000) < lost_per_mille_) return;
  after(std::chrono::milliseconds(1), [this, message = std::move(message)]() mutable {
    if (!passes(message.from, message.to)) return;
    endpoints_.at(message.to).sink->receive(std::move(message));
  });
}

void Wire::stream(raft::Message message, std::unique_ptr<SnapshotReader> db) {
  if (tap) tap(message);
  ++counts_.snapshots_begun;
  transfers_.push_back(std::make_shared<Transfer>(Transfer{std::move(message), std::move(db)}));
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
  if (!passes(t.message.from, t.message.to)) return fail(Code::kUnavailable, "cut off");
  const Endpoint& to = endpoints_.at(t.message.to);
  if (!t.target) {
    TRUSS_ASSIGN(t.target,
                 snap::DbReceiver::create(*to.files, to.snap_dir, std::nullopt, kDirectAlign));
  }
  TRUSS_ASSIGN(const std::string piece, t.source->read(kPieceBytes));
  if (!piece.empty()) {
    TRUSS_TRY(t.target->write(piece));
    return true;
  }
  TRUSS_TRY(t.target->finish(t.message.snapshot.metadata.index));
  for (int i = 0; i < (repeat_ ? 2 : 1); ++i) to.sink->receive(t.message);
  return false;
}

void Wire::end(Transfer& t, bool delivered) {
  t.over = true;
  t.source.reset();
  t.target.reset();
  ++(delivered ? counts_.snapshots_delivered : counts_.snapshots_failed);
  const auto from = endpoints_.find(t.message.from);
  if (from != endpoints_.end()) from->second.sink->report_snapshot(t.message.to, delivered);
}

}  // namespace truss::server::testing
