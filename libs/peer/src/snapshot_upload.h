#pragma once

#include <deque>
#include <memory>
#include <string>

#include "context.h"
#include "truss/net/http_client.h"

namespace truss::peer {

/// The body of one POST /raft/snapshot: the envelope, then the database, read ahead a few pieces
/// on the files executor and handed over as the socket (and the rate cap) takes them.
///
/// Lives on: the transport's bulk thread, but for the reading and for what says otherwise.
/// *Source:* etcd rafthttp/snapshot_sender.go.
class SnapshotUpload final : public net::HttpBodySource,
                             public std::enable_shared_from_this<SnapshotUpload> {
 public:
  SnapshotUpload(std::shared_ptr<Context> context, const raft::Message& message,
                 std::unique_ptr<SnapshotSource> source);
  ~SnapshotUpload() override {
    let_go([] {});
  }

  /// Starts reading. `exchange` learns when there is something to pull. Thread: any.
  void start(net::HttpExchange exchange);
  Result<Pull> pull(SharedBytes& piece) override;
  /// Lets go of the source, on the files executor as that may take its time, then runs `then`
  /// there. Thread: any.
  void close(Task then);

 private:
  void let_go(Task then);
  void read_ahead();
  void have(Result<SharedBytes> piece);
  /// True if the rate cap says to wait; body_ready comes when it is over.
  bool must_wait();

  std::shared_ptr<Context> context_;
  std::shared_ptr<SnapshotSource> source_;
  net::HttpExchange exchange_;
  std::deque<SharedBytes> pieces_;
  Error error_{Code::kOk, {}};
  bool reading_ = false;
  bool at_end_ = false;
  MonoTime next_piece_;  ///< under a rate cap: not before
};

}  // namespace truss::peer
