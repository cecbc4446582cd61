#include "raft_loop.h"

/// A leader whose disk is dead makes room for another. Its heartbeats need no disk, so nobody else
/// would notice, and nothing that waits for its own log would ever be answered.
namespace truss::server {
namespace {

double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

void RaftLoop::check_disk(MonoTime now) {
  if (disk_.dead(now) != disk_dead_) note_disk(!disk_dead_, now);
  if (disk_dead_ && soft_.role == raft::Role::kLeader && !sole_voter()) give_up_lead(now);
}

/// With a dead disk a member may follow, but not stand: others' votes alone would make it leader.
void RaftLoop::note_disk(bool dead, MonoTime now) {
  disk_dead_ = dead;
  progress_.disk_dead = dead;
  handing_over_since_.reset();
  node_->allow_campaigns(!dead);
  if (!dead) return logger_.warn("the disk of the write-ahead log answers again", {});
  logger_.error(
      "the disk of the write-ahead log does not answer; this member can't lead until it "
      "does",
      {{"waiting", seconds(disk_.waiting(now))}, {"leads", soft_.role == raft::Role::kLeader}});
}

void RaftLoop::give_up_lead(MonoTime now) {
  const auto candidates = node_->transfer_candidates();
  if (!handing_over_since_ && !candidates.empty()) {
    handing_over_since_ = now;
    logger_.error("handing leadership over: the disk of this leader is dead",
                  {{"to", id_text(candidates.front())}});
    return node_->transfer_leader(candidates.front());
  }
  if (handing_over_since_ && now - *handing_over_since_ <= election_timeout_) return;
  logger_.error("stepping down: the disk of this leader is dead, and nobody took over", {});
  handing_over_since_.reset();
  node_->step_down();
}

}  // namespace truss::server
