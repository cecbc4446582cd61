#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "progress.h"
#include "truss/common/clock.h"
#include "truss/raft/raw_node.h"
#include "truss/server/server.h"

namespace truss::server {

/// Linearizable reads: all that wait share one read-index round at a time; then they wait until
/// applied has reached its index.
///
/// Lives on: raft thread.
class ReadIndexRounds {
 public:
  using Callback = Server::DoneCallback;

  ReadIndexRounds(raft::NodeId self, std::uint64_t first_context, Duration timeout,
                  Progress& progress)
      : self_(self), next_context_(first_context), timeout_(timeout), progress_(progress) {}

  void add(std::vector<Callback> callbacks, MonoTime now);
  /// Starts a round if reads wait and none is under way; `may_ask` is false while this leader has
  /// not committed an entry of its term yet.
  void ask(raft::RawNode& node, MonoTime now, bool may_ask);
  void answered(const raft::ReadState& state);
  /// Runs the reads that the applied index has reached.
  void applied(raft::Index index);
  /// Asks again after 500 ms, gives up each read after the timeout.
  void tick(raft::RawNode& node, MonoTime now);
  /// A new leader: what is being asked fails with leader_changed.
  void leader_changed();
  /// Fails all.
  void stop();

 private:
  struct Read {
    MonoTime since;
    Callback done;
  };
  using Reads = std::vector<Read>;  ///< the oldest first

  void send(raft::RawNode& node, MonoTime now);
  void expire(Reads& reads, MonoTime now);
  void fail_all(Reads reads, const Error& error);

  const raft::NodeId self_;
  std::uint64_t next_context_;
  const Duration timeout_;
  Progress& progress_;

  Reads queued_;  // for the next round
  Reads asked_;   // in the round under way
  bool asking_ = false;
  std::vector<SharedBytes> contexts_;  // of the round under way: any answer will do
  MonoTime sent_;
  std::multimap<raft::Index, Reads> parked_;  // by the index they wait for
};

}  // namespace truss::server
