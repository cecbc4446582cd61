#include <algorithm>

#include "node.h"
#include "pledge.h"
#include "received_snapshot.h"
#include "snapshot_reader.h"

/// Snapshots of this member: saved, sent to peers, taken over from the leader.
namespace truss::server {

void Node::add_snapshot_hooks(ApplyLoop::Hooks& hooks) {
  hooks.snapshot_due = [this](raft::Snapshot s) { save_snapshot(std::move(s)); };
  hooks.send_snapshots = [this](std::vector<raft::Message> m) { send_snapshots(std::move(m)); };
  hooks.snapshot_dropped = [this](raft::NodeId peer) { raft_->report_snapshot(peer, false); };
  hooks.install = [this](raft::Index index, Task done) { install(index, std::move(done)); };
  hooks.installed = [this](const raft::Snapshot& snapshot, const std::vector<Member>& before) {
    replace_peers(before);
    wal_->snapshot_installed(snapshot.metadata.index);
    upkeep_->snapshot_installed();
  };
}

/// First the db must cover the snapshot, then the `.snap` file may exist.
void Node::save_snapshot(raft::Snapshot snapshot) {
  backend_->commit([this, snapshot = std::move(snapshot)]() mutable {
    raft::Snapshot kept = snapshot;
    wal_->save_snapshot(std::move(snapshot), [this, kept = std::move(kept)]() mutable {
      env_.logger.info("saved snapshot", {{"snapshot-index", kept.metadata.index.value()}});
      raft_->snapshot_saved(std::move(kept));
    });
  });
}

// --- Sending ---------------------------------------------------------------------------------

void Node::send_snapshots(std::vector<raft::Message> messages) {
  for (raft::Message& message : messages) {
    const raft::NodeId to = message.to;
    if (const Result<> sent = send_snapshot(message); !sent) {
      env_.logger.warn("failed to send a snapshot",
                       {{"to", id_text(to)}, {"error", sent.error().message}});
      raft_->report_snapshot(to, false);
    }
  }
}

Result<> Node::send_snapshot(raft::Message& message) {
  TRUSS_ASSIGN(auto image, FileSnapshotReader::open(env_.files, *backend_));
  TRUSS_ASSIGN(const std::uint64_t index, image->consistent_index());
  const raft::SnapshotMetadata& meta = message.snapshot.metadata;
  if (index != meta.index.value()) {
    return fail(Code::kInternal, "the db is at index " + std::to_string(index) +
                                     ", the snapshot at " + std::to_string(meta.index.value()));
  }
  env_.logger.info(
      "sending database snapshot",
      {{"to", id_text(message.to)}, {"snapshot-index", index}, {"bytes", image->size_bytes()}});
  env_.transport.send_snapshot(std::move(message), std::move(image));
  return {};
}

// --- Receiving -------------------------------------------------------------------------------

void Node::check_snapshot(raft::Message message, std::string path, DoneCallback done) {
  snapshot_executor_->post([this, message = std::move(message), path = std::move(path),
                            done = Pledge<void>(std::move(done))]() mutable {
    const auto fit = check_received(message.snapshot, path);
    if (!fit) {
      (void)scouts_->take(path);
      (void)env_.files.remove(path);
    }
    done(fit);
  });
}

/// One that is too old to be taken needn't fit.
Result<> Node::check_received(const raft::Snapshot& snapshot, const std::string& path) {
  if (snapshot.metadata.index <= progress_.committed_index()) return {};
  return server::check_received(env_.files, path, snapshot, level_);
}

/// Once raft has taken it there is no way back, so what can't be used is left out before.
void Node::look_over(raft::Message message) {
  snapshot_executor_->post([this, message = std::move(message)]() mutable {
    const std::string path =
        received_db_path(DataDir(config_).snap, message.snapshot.metadata.index);
    if (const auto fit = check_received(message.snapshot, path); !fit) {
      return env_.logger.error("refused a snapshot of the leader",
                               {{"from", id_text(message.from)}, {"error", fit.error().message}});
    }
    raft_->step_snapshot(std::move(message));
  });
}

void Node::install(raft::Index index, Task done) {
  const std::string path = received_db_path(DataDir(config_).snap, index);
  auto scout = scouts_->take(path);
  store_->install(
      path,
      [this, done = std::move(done)]() mutable {
        // Both roots of a received file hold the same state.
        newer_root_ = backend_->committed_consistent_index();
        older_root_ = newer_root_;
        done();
      },
      std::move(scout));
}

/// Streams to members that stay are not cut.
void Node::replace_peers(const std::vector<Member>& before) {
  const auto now = members();
  const auto has = [](const std::vector<Member>& list, raft::NodeId id) {
    return std::any_of(list.begin(), list.end(), [id](const Member& m) { return m.id == id; });
  };
  for (const Member& member : before) {
    if (member.id != self_ && !has(*now, member.id)) env_.transport.remove_peer(member.id);
  }
  for (const Member& member : *now) {
    if (member.id == self_) continue;
    if (has(before, member.id)) {
      env_.transport.update_peer(member.id, member.peer_urls);
    } else {
      env_.transport.add_peer(member.id, member.peer_urls);
    }
  }
}

}  // namespace truss::server
