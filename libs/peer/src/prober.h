#pragma once

#include <memory>
#include <string>

#include "activity.h"
#include "context.h"
#include "peer_urls.h"
#include "truss/peer/probe.h"

namespace truss::peer {

/// Asks one peer every few seconds whether it is there, over one of the two clients, and tells the
/// log what is wrong: at first after 5 s, then every 30 s, or 5 s while something is. Nothing else
/// depends on it.
///
/// Lives on: the transport's thread. *Source:* etcd rafthttp/probing_status.go.
class Prober final : public std::enable_shared_from_this<Prober> {
 public:
  Prober(std::shared_ptr<Context> context, raft::NodeId peer, const char* channel,
         net::HttpClient& client, std::shared_ptr<PeerUrls> urls,
         std::shared_ptr<Activity> activity);

  void start();
  void stop() { stopped_ = true; }
  const ProbeStatus& status() const { return status_; }

 private:
  void probe();
  void answered(MonoTime sent, const Result<net::HttpResponse>& answer);
  void watch();
  void after(Duration delay, void (Prober::*what)());

  std::shared_ptr<Context> context_;
  const raft::NodeId peer_;
  const char* const channel_;
  net::HttpClient& client_;
  std::shared_ptr<PeerUrls> urls_;
  std::shared_ptr<Activity> activity_;  ///< counts round trips only
  ProbeStatus status_;
  bool stopped_ = false;
};

}  // namespace truss::peer
