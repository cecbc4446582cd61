#pragma once

#include <algorithm>
#include <memory>

#include "kv_codec.h"
#include "truss/api/api.h"
#include "truss/common/executor.h"
#include "truss/common/log.h"
#include "truss/server/errors.h"
#include "truss/server/server.h"

namespace truss::api {

/// What every service shares. All outlives the services. Thread: any.
struct Context {
  server::Server& server;
  const Options& options;
  Clock& clock;
  Logger& logger;
  Executor& reads;    ///< store reads that had to wait for a read index
  Executor& watches;  ///< everything of watch streams
  Executor& bulk;     ///< long work: snapshots, hashes

  server::CompatLevel level() const { return server.level(); }
  /// Cluster, member, term; no revision.
  Header header() const {
    return {.cluster_id = server.cluster_id().value(),
            .member_id = server.member_id().value(),
            .raft_term = server.term().value()};
  }
  bool is_learner() const {
    const auto members = server.members();
    const auto self = std::find_if(members->begin(), members->end(),
                                   [&](const auto& m) { return m.id == server.member_id(); });
    return self != members->end() && self->is_learner;
  }
  Header header(std::int64_t revision) const {
    Header h = header();
    h.revision = revision;
    return h;
  }
};

/// `rpc not supported for learner`, with the level's code.
inline Error learner_refusal(const Context& context) {
  Error error = server::errors::not_supported_for_learner();
  if (context.level() < server::CompatLevel::k36) error.code = Code::kUnavailable;
  return error;
}

}  // namespace truss::api
