#pragma once

#include <functional>

#include "truss/common/executor.h"
#include "truss/server/server.h"
#include "version_form.h"

namespace truss::server {

class Node;

/// Publishes the member's name and client URLs through the log, again until it is done, in the form
/// that every member of the cluster can read: as long as neither the cluster's version nor its
/// servers tell which that is, it asks again for a while.
///
/// Lives on: upkeep executor.
class Publisher {
 public:
  Publisher(Node& node, Executor& executor, std::function<void()> published)
      : node_(node), executor_(executor), published_(std::move(published)) {}

  void publish();
  /// A snapshot of the leader took the place of the log that may have held what was proposed:
  /// nobody will answer that proposal. Or it lies far behind the snapshot, and its answer came too
  /// late: then what the cluster knows tells when it was applied.
  void log_replaced();

 private:
  void choose(const PolledVersions& others);
  void again(Duration pause);
  void look();
  void propose(VersionForm form);
  void finish(const Result<ApplyResponse>& response);
  /// Whether the cluster knows name and client URLs as they are.
  bool known() const;
  void succeed();

  Node& node_;
  Executor& executor_;
  const std::function<void()> published_;
  int polls_left_ = 4;
  int attempt_ = 0;  ///< answers to earlier ones are late
  bool done_ = false;
  bool replaced_ = false;  ///< see log_replaced(); from then on names are those of now
};

/// The bare v2 Request that 3.4 and 3.5 log: PUT `path` = `value`. Every field is written, even
/// zeros, but prevExist and refresh. Source: etcdserverpb.Request.
SharedBytes encode_legacy_put(std::uint64_t id, std::string_view path, std::string_view value);

}  // namespace truss::server
