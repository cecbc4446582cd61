#include <algorithm>

#include "core.h"
#include "truss/common/check.h"

namespace truss::raft {

namespace {

void check_log(const Log& log) {
  TRUSS_CHECK(log.applied() <= log.applying(), "applied past applying");
  TRUSS_CHECK(log.applying() <= log.committed(), "applying past commit");
  TRUSS_CHECK(log.committed() <= log.last_index(), "commit past the end");
  const Unstable& unstable = log.unstable();
  TRUSS_CHECK(
      unstable.offset() <= unstable.in_progress() && unstable.in_progress() <= unstable.end(),
      "unstable marks out of order");
  for (Index i = unstable.offset(); i < unstable.end(); ++i) {
    TRUSS_CHECK(unstable.at(i).index == i, "gap in the unstable log");
  }
}

void check_leader(const Core& core) {
  for (const Progress& peer : core.tracker().peers()) {
    TRUSS_CHECK(peer.match < peer.next, "match at or past next");
    TRUSS_CHECK(peer.match <= core.log().last_index(), "a peer has more than the leader");
    TRUSS_CHECK(peer.next <= core.log().last_index() + 1 ||
                    peer.state == ProgressState::kSnapshot || peer.id == core.id(),
                "next past the end");
    TRUSS_CHECK(peer.state == ProgressState::kReplicate || peer.inflights.count() == 0,
                "a window outside of replicate");
  }
  TRUSS_CHECK(core.log().last_term() == core.term(), "a leader's log ends in another term");
}

}  // namespace

void Core::check_invariants() const {
  check_log(log_);
  TRUSS_CHECK(term_ == Term{} || log_.last_term() <= term_, "an entry of a later term");
  if (role() == Role::kCandidate || leading() != nullptr) {
    TRUSS_CHECK(vote_ == id(), "leads or stands without its own vote");
  }
  if (leading() != nullptr) check_leader(*this);
}

}  // namespace truss::raft
