#include "snapshot_upload.h"

#include <algorithm>

#include "truss/peer/snapshot_envelope.h"

namespace truss::peer {
namespace {

constexpr std::size_t kPieceBytes = 256u << 10;
constexpr std::size_t kPiecesAhead = 4;
/// A capped sender that was held up may catch up by this much.
constexpr Duration kBurst = std::chrono::milliseconds(50);

}  // namespace

SnapshotUpload::SnapshotUpload(std::shared_ptr<Context> context, const raft::Message& message,
                               std::unique_ptr<SnapshotSource> source)
    : context_(std::move(context)), source_(std::move(source)) {
  std::string envelope;
  write_snapshot_envelope(message, context_->identity.form, envelope);
  pieces_.push_back(SharedBytes::copy(envelope));
}

void SnapshotUpload::close(Task then) {
  context_->bulk.post([self = shared_from_this(), then = std::move(then)]() mutable {
    self->let_go(std::move(then));
  });
}

void SnapshotUpload::let_go(Task then) {
  at_end_ = true;
  context_->files->post([source = std::move(source_), then = std::move(then)]() mutable {
    source.reset();
    then();
  });
}

void SnapshotUpload::start(net::HttpExchange exchange) {
  context_->bulk.post([self = shared_from_this(), exchange = std::move(exchange)]() mutable {
    self->exchange_ = std::move(exchange);
    self->exchange_.body_ready();
    self->read_ahead();
  });
}

void SnapshotUpload::read_ahead() {
  if (reading_ || at_end_ || error_.code != Code::kOk || pieces_.size() >= kPiecesAhead) return;
  reading_ = true;
  context_->files->post([source = source_, weak = weak_from_this(), &thread = context_->bulk] {
    Result<SharedBytes> piece =
        source->read(kPieceBytes).map([](const std::string& s) { return SharedBytes::copy(s); });
    thread.post([weak, piece = std::move(piece)]() mutable {
      if (const auto self = weak.lock()) self->have(std::move(piece));
    });
  });
}

void SnapshotUpload::have(Result<SharedBytes> piece) {
  reading_ = false;
  if (!piece) {
    error_ = piece.error();
  } else if (piece->empty()) {
    at_end_ = true;
  } else {
    pieces_.push_back(std::move(*piece));
  }
  exchange_.body_ready();
  read_ahead();
}

Result<SnapshotUpload::Pull> SnapshotUpload::pull(SharedBytes& piece) {
  if (error_.code != Code::kOk) return tl::unexpected(error_);
  if (!exchange_) return Pull::kLater;  // start() is on its way
  if (pieces_.empty()) return at_end_ ? Pull::kEnd : Pull::kLater;
  if (must_wait()) return Pull::kLater;
  piece = std::move(pieces_.front());
  pieces_.pop_front();
  read_ahead();
  return Pull::kPiece;
}

bool SnapshotUpload::must_wait() {
  const std::uint64_t rate = context_->options.snapshot_bytes_per_second;
  if (rate == 0) return false;
  const MonoTime now = context_->now();
  if (now < next_piece_) {
    context_->bulk.post_at(next_piece_,
                           [exchange = exchange_]() mutable { exchange.body_ready(); });
    return true;
  }
  const auto cost = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(
      static_cast<double>(pieces_.front().size()) / static_cast<double>(rate)));
  next_piece_ = std::max(next_piece_, now - kBurst) + cost;
  return false;
}

}  // namespace truss::peer
