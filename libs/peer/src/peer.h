#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "activity.h"
#include "context.h"
#include "peer_urls.h"
#include "pipeline.h"
#include "prober.h"
#include "snapshot_tally.h"
#include "snapshot_upload.h"
#include "stream_reader.h"
#include "stream_writer.h"

namespace truss::peer {

/// One other member of the cluster: all channels to and from it.
///
/// Lives on: the transport's thread. *Source:* etcd rafthttp/peer.go.
class Peer final : public std::enable_shared_from_this<Peer> {
 public:
  Peer(std::shared_ptr<Context> context, raft::NodeId id, std::vector<std::string> peer_urls);
  /// Dials its streams and starts probing.
  void start();
  void stop();
  void update(std::vector<std::string> peer_urls) { urls_->update(std::move(peer_urls)); }

  void attach(StreamKind kind, net::HttpReply reply);
  /// Puts the message on its channel; flush() then sends all that was put there at once.
  /// False: dropped.
  bool push(raft::Message message);
  void flush();
  void send_snapshot(raft::Message message, std::unique_ptr<SnapshotSource> db);

  std::shared_ptr<const Activity> activity() const { return activity_; }
  LinkCounts& counts() { return activity_->counts(); }

 private:
  void snapshot_sent(const std::string& url, const Result<net::HttpResponse>& answer);
  void end_snapshot(bool delivered);

  std::shared_ptr<Context> context_;
  const raft::NodeId id_;
  std::shared_ptr<PeerUrls> urls_;
  std::shared_ptr<Activity> activity_;
  std::shared_ptr<StreamWriter> messages_;
  std::shared_ptr<StreamWriter> appends_;
  std::shared_ptr<Pipeline> pipeline_;
  std::array<std::shared_ptr<StreamReader>, 2> readers_;
  std::array<std::shared_ptr<Prober>, 2> probers_;
  net::HttpExchange snapshot_;
  std::shared_ptr<SnapshotUpload> upload_;  ///< while a snapshot is on its way
  std::optional<SnapshotTally> tally_;      ///< likewise
  bool stopped_ = false;
};

}  // namespace truss::peer
