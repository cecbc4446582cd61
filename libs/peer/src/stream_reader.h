#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "activity.h"
#include "context.h"
#include "peer_urls.h"
#include "truss/peer/message_stream.h"
#include "truss/peer/msgapp_stream.h"

namespace truss::peer {

/// Dials one stream of a peer, reads it, and dials again when it ends, at most once every
/// Options::dial_interval.
///
/// Lives on: the transport's thread. *Source:* etcd rafthttp/stream.go, streamReader.
class StreamReader final : public std::enable_shared_from_this<StreamReader> {
 public:
  StreamReader(std::shared_ptr<Context> context, raft::NodeId peer, StreamKind kind,
               std::shared_ptr<PeerUrls> urls, std::shared_ptr<Activity> activity);

  void start() { dial(); }
  /// Closes the stream for good.
  void stop();

 private:
  class Stream;
  friend class Stream;

  void dial();
  void dial_later();
  net::HttpCall call(const std::string& url) const;
  /// The answer that was no stream.
  void refused(int status, std::string_view body);
  void ended(Stream& stream, const Result<void>& how);
  void log_change(std::string what);

  std::shared_ptr<Context> context_;
  const raft::NodeId peer_;
  const StreamKind kind_;
  std::shared_ptr<PeerUrls> urls_;
  std::shared_ptr<Activity> activity_;
  std::shared_ptr<Stream> stream_;
  MonoTime last_dial_;
  std::string last_log_;
  bool stopped_ = false;
};

}  // namespace truss::peer
