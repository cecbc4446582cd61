#pragma once

#include <deque>
#include <memory>
#include <string>

#include "activity.h"
#include "context.h"
#include "peer_urls.h"

namespace truss::peer {

/// POST /raft, one message each, a few at a time: for peers that have not dialled in, for remotes,
/// and for bulky proposals. A message that fails is not sent again.
///
/// Lives on: the transport's thread. *Source:* etcd rafthttp/pipeline.go.
class Pipeline final : public std::enable_shared_from_this<Pipeline> {
 public:
  /// \param activity  null for a remote, whose failures concern nobody
  Pipeline(std::shared_ptr<Context> context, raft::NodeId peer, std::shared_ptr<PeerUrls> urls,
           std::shared_ptr<Activity> activity);

  /// False: the queue is full, the message is dropped.
  bool push(raft::Message message);
  void stop();

 private:
  void queued(const raft::Message& message);
  void post(const raft::Message& message);
  void posted(const std::string& url, const Result<net::HttpResponse>& answer);
  void failed(const std::string& url, const std::string& why);

  std::shared_ptr<Context> context_;
  const raft::NodeId peer_;
  std::shared_ptr<PeerUrls> urls_;
  std::shared_ptr<Activity> activity_;
  std::deque<raft::Message> queue_;
  std::size_t queued_bytes_ = 0;
  std::size_t running_ = 0;
  bool stopped_ = false;
};

}  // namespace truss::peer
