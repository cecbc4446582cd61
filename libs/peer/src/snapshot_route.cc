#include <atomic>
#include <string>

#include "routes.h"
#include "snapshot_tally.h"
#include "truss/peer/snapshot_envelope.h"
#include "truss/peer/text.h"

// POST /raft/snapshot. Source: etcd rafthttp/http.go, snapshotHandler.
namespace truss::peer {
namespace {

constexpr std::size_t kPauseAboveBytes = 4u << 20;
constexpr std::size_t kResumeBelowBytes = 1u << 20;

/// One snapshot that comes in. The envelope is read on the net thread, the database goes to the
/// files executor piece by piece; the client waits while too much of it is on its way there.
class Incoming final : public std::enable_shared_from_this<Incoming> {
 public:
  Incoming(ImplPtr impl, net::HttpRequest request, net::HttpReply reply)
      : impl_(std::move(impl)),
        context_(*impl_->context),
        request_(std::move(request)),
        reply_(std::move(reply)),
        envelope_(context_.options.max_snapshot_envelope_bytes) {}

  /// An unfinished file is removed, which may take its time.
  ~Incoming() {
    if (db_) context_.files->post([db = std::move(db_)]() mutable { db.reset(); });
  }

  /// Thread: net.
  void take(ByteView piece, bool last) {
    if (refused_.load()) return;
    got_any_ = got_any_ || !piece.empty();
    if (!message_ && !take_envelope(piece)) {
      if (last && !refused_.load()) {
        refuse_with(400, "failed to decode raft message (" +
                             std::string(got_any_ ? "unexpected EOF" : "EOF") + ")");
      }
      return;
    }
    if (!piece.empty()) write(piece);
    if (last) {
      context_.files->post([self = shared_from_this()] { self->finish(); });
    }
  }

  /// The sender fell silent. Thread: net.
  void stall() {
    if (!message_) return refuse_with(400, "failed to decode raft message (i/o timeout)");
    context_.files->post([self = shared_from_this()] {
      self->not_saved({Code::kDeadlineExceeded, "i/o timeout"});
    });
  }

 private:
  /// Returns: whether the message is there and fine.
  bool take_envelope(ByteView& piece) {
    auto message = envelope_.receive(piece);
    if (!message) {
      refuse_with(400, "failed to decode raft message (" + message.error().message + ")");
      return false;
    }
    if (!*message) return false;
    if ((*message)->type != raft::MessageType::kSnap) {
      refuse_with(400, "wrong raft message type");
      return false;
    }
    message_ = std::move(**message);
    link_ = impl_->counts_of(message_->from);
    tally_.emplace(link_, &LinkCounts::snapshots_received, context_.clock);
    if (const auto why = context_.refusals.why_not(context_.now())) {
      refuse_with(500, not_processed(*why));
      return false;
    }
    context_.logger.info("receiving database snapshot",
                         {{"incoming-snapshot-index", message_->snapshot.metadata.index.value()},
                          {"remote-snapshot-sender-id", id_text(message_->from.value())}});
    context_.files->post([self = shared_from_this()] { self->open(); });
    return true;
  }

  /// Thread: net.
  void write(ByteView piece) {
    if (link_) count(link_->received_bytes, piece.size());
    const std::size_t before = waiting_bytes_.fetch_add(piece.size());
    if (before + piece.size() > kPauseAboveBytes && !paused_.exchange(true)) {
      reply_.pause_body(true);
    }
    context_.files->post([self = shared_from_this(), bytes = SharedBytes::copy(piece)] {
      self->written(bytes.view());
    });
  }

  // Thread: files.

  void open() {
    auto db = context_.local->receive_db();
    if (!db) return not_saved(db.error());
    db_ = std::move(*db);
  }

  void written(ByteView piece) {
    if (db_) {
      if (const auto done = db_->write(piece); !done) not_saved(done.error());
    }
    const std::size_t left = waiting_bytes_.fetch_sub(piece.size()) - piece.size();
    if (left < kResumeBelowBytes && paused_.exchange(false)) reply_.pause_body(false);
  }

  void finish() {
    if (!db_ || refused_.load()) return;
    const std::uint64_t size = db_->size_bytes();
    const auto path = db_->finish(message_->snapshot.metadata.index);
    if (!path) return not_saved(path.error());
    db_.reset();
    context_.logger.info("received and saved database snapshot",
                         {{"path", *path}, {"incoming-snapshot-size-bytes", size}});
    context_.local->check_snapshot(*message_, *path, [self = shared_from_this()](Result<> fit) {
      self->impl_->post([self, fit = std::move(fit)](Transport::Impl& i) {
        if (!fit) return self->not_fit(fit.error());
        self->process(i);
      });
    });
  }

  void not_saved(const Error& why) {
    db_.reset();
    refuse_with(500, "failed to save KV snapshot (" + why.message + ")");
  }

  static std::string not_processed(const std::string& why) {
    return "failed to process raft message (" + why + ")";
  }

  // Thread: the transport's.

  void not_fit(const Error& why) {
    context_.refusals.refused(context_.now(), why.message);
    refuse_with(500, not_processed(why.message));
  }

  void process(Transport::Impl& impl) {
    if (impl.context->stopped) {
      return refuse_with(500, not_processed("the member is stopping"));
    }
    impl.meet_stranger(request_);
    count(impl.context->snapshots_received);
    impl.context->refusals.accepted();
    tally_->end(true);
    std::vector<raft::Message> one;
    one.push_back(std::move(*message_));
    impl.context->deliver(one);
    reply_.send(204, cluster_header(context_.identity), {});
  }

  void refuse_with(int status, const std::string& text) {
    if (refused_.exchange(true)) return;
    context_.logger.warn("failed to receive database snapshot", {{"error", text}});
    refuse(reply_, status, text, cluster_header(context_.identity));
  }

  ImplPtr impl_;
  Context& context_;
  const net::HttpRequest request_;
  net::HttpReply reply_;
  SnapshotEnvelopeReader envelope_;       ///< net thread
  std::optional<raft::Message> message_;  ///< set on the net thread before the rest sees it
  std::shared_ptr<LinkCounts> link_;      ///< as message_
  std::optional<SnapshotTally> tally_;    ///< as message_
  bool got_any_ = false;                  ///< net thread
  std::unique_ptr<snap::DbReceiver> db_;  ///< files executor
  std::atomic<std::size_t> waiting_bytes_{0};
  std::atomic<bool> paused_{false};
  std::atomic<bool> refused_{false};
};

void post_snapshot(const ImplPtr& impl, net::HttpRequest request, net::HttpReply reply) {
  if (!check_method(request, reply, "POST")) return;
  const Identity& who = impl->context->identity;
  if (!pass_gate(request, reply, who, cluster_header(who))) return;
  auto incoming = std::make_shared<Incoming>(impl, std::move(request), reply);
  reply.on_body([incoming](ByteView piece, bool last) { incoming->take(piece, last); });
  reply.on_stall([incoming] { incoming->stall(); });
}

}  // namespace

void install_snapshot_route(net::Server& server, const ImplPtr& impl) {
  add_route(server, impl, {.path = "/raft/snapshot", .handler = {}, .stream_body = true},
            post_snapshot);
}

}  // namespace truss::peer
