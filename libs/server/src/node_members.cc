#include <algorithm>
#include <future>

#include "leader_ask.h"
#include "node.h"
#include "pledge.h"
#include "reconfiguration.h"
#include "truss/common/await.h"
#include "truss/server/errors.h"

namespace truss::server {
namespace {

const Member* find_member(const std::vector<Member>& list, raft::NodeId id) {
  const auto it =
      std::find_if(list.begin(), list.end(), [id](const Member& m) { return m.id == id; });
  return it == list.end() ? nullptr : &*it;
}

bool contains(const Error& error, const Error& text) {
  return error.message.find(text.message) != std::string::npos;
}

/// Of `POST /members/promote/<id>`. 412 stands for two errors: the body tells them apart.
std::optional<Error> promote_verdict(const Error& error) {
  if (error.code == Code::kNotFound) return errors::member_not_found();
  if (error.code == Code::kDeadlineExceeded) return errors::timeout();
  if (error.code != Code::kFailedPrecondition) return std::nullopt;
  if (contains(error, errors::learner_not_ready())) return errors::learner_not_ready();
  return errors::member_not_learner();
}

}  // namespace

/// What the strict checks look at, as of now.
Reconfiguration Node::reconfiguration() const {
  return {*members(), self_, env_.transport, env_.runtime.clock().now(), level_};
}

void Node::add_member(std::vector<std::string> peer_urls, bool learner, ApplyCallback done) {
  if (peer_urls.empty()) return done(tl::unexpected(errors::member_bad_urls()));
  if (config_.strict_reconfig_check) {
    if (auto allowed = reconfiguration().may_add(learner); !allowed) {
      return done(tl::unexpected(std::move(allowed).error()));
    }
  }
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(
      env_.runtime.clock().wall().time_since_epoch());
  Member member{.id = compute_member_id(peer_urls, "", now.count())};
  std::sort(peer_urls.begin(), peer_urls.end());
  member.peer_urls = std::move(peer_urls);
  member.is_learner = learner;
  const auto type =
      learner ? raft::ConfChangeType::kAddLearnerNode : raft::ConfChangeType::kAddNode;
  change_members({0, type, member.id, SharedBytes::copy(member_json(member))}, std::move(done));
}

void Node::remove_member(raft::NodeId id, ApplyCallback done) {
  const auto list = members();
  if (find_member(*list, id) == nullptr) return done(tl::unexpected(errors::member_not_found()));
  if (config_.strict_reconfig_check) {
    if (auto allowed = reconfiguration().may_remove(id); !allowed) {
      return done(tl::unexpected(std::move(allowed).error()));
    }
  }
  change_members({0, raft::ConfChangeType::kRemoveNode, id, {}}, std::move(done));
}

void Node::update_member(raft::NodeId id, std::vector<std::string> peer_urls, ApplyCallback done) {
  if (peer_urls.empty()) return done(tl::unexpected(errors::member_bad_urls()));
  std::sort(peer_urls.begin(), peer_urls.end());
  Member member{.id = id, .peer_urls = std::move(peer_urls)};
  change_members({0, raft::ConfChangeType::kUpdateNode, id, SharedBytes::copy(member_json(member))},
                 std::move(done));
}

void Node::change_members(raft::ConfChange change, ApplyCallback done) {
  if (stopping_) return done(tl::unexpected(errors::stopped()));
  change.id = ids_->next();
  if (!waiters_.add(change.id, env_.runtime.clock().now(), std::move(done))) return;
  raft_->propose(std::move(change));
}

// --- Promotion -------------------------------------------------------------------------------

/// Only the leader knows how far the learner is.
void Node::promote_member(raft::NodeId id, ApplyCallback done) {
  if (stopping_) return done(tl::unexpected(errors::stopped()));
  using Ask = LeaderAsk<ApplyResponse>;
  Ask::Question question;
  question.here = [this, id](Ask::Callback answer) { promote_here(id, std::move(answer)); };
  question.there = [this, id](const std::string& url, Duration timeout, Ask::Callback answer) {
    env_.queries.promote(
        url, id, timeout,
        [this, id, answer = std::move(answer)](Result<std::vector<Member>> list) mutable {
          if (!list) return answer(tl::unexpected(std::move(list).error()));
          const Member* changed = find_member(*list, id);
          MembersResult result{{}, changed != nullptr ? *changed : Member{.id = id}};
          result.members = *std::move(list);
          answer(ApplyResponse{store_->current_revision(), std::move(result)});
        });
  };
  question.final_here = [](const Error& error) -> std::optional<Error> {
    if (error == errors::not_leader()) return std::nullopt;
    return error;
  };
  question.final_there = promote_verdict;
  Ask::begin(*desk_, std::move(question), std::move(done));
}

void Node::promote_here(raft::NodeId id, ApplyCallback done) {
  raft_->run([this, id, done = Pledge<ApplyResponse>(std::move(done))]() mutable {
    if (auto ready = check_learner(id); !ready) {
      return done(tl::unexpected(std::move(ready).error()));
    }
    change_members({0, raft::ConfChangeType::kAddNode, id, SharedBytes::copy(promote_json(id))},
                   [this, done = std::move(done)](Result<ApplyResponse> answer) mutable {
                     if (answer) progress_.promotions.fetch_add(1, std::memory_order_relaxed);
                     done(std::move(answer));
                   });
  });
}

/// Errors: not_leader, member_not_found, member_not_learner, learner_not_ready,
/// member_not_enough_started. Thread: raft.
Result<> Node::check_learner(raft::NodeId id) {
  if (!progress_.is_leader) return tl::unexpected(errors::not_leader());
  const auto list = members();
  const Member* learner = find_member(*list, id);
  if (learner == nullptr) return tl::unexpected(errors::member_not_found());
  if (!learner->is_learner) return tl::unexpected(errors::member_not_learner());
  raft::Index leader_match;
  raft::Index learner_match;
  for (const raft::PeerStatus& peer : raft_->node().status().peers) {
    if (peer.progress.id == self_) leader_match = peer.progress.match;
    if (peer.progress.id == id) learner_match = peer.progress.match;
  }
  if (learner_match.value() * 10 < leader_match.value() * 9) {
    return tl::unexpected(errors::learner_not_ready());
  }
  if (!config_.strict_reconfig_check) return {};
  return reconfiguration().may_promote();
}

// --- Leadership ------------------------------------------------------------------------------

void Node::move_leader(raft::NodeId target, DoneCallback done) {
  if (stopping_) return done(tl::unexpected(errors::stopped()));
  if (!progress_.is_leader) return done(tl::unexpected(errors::not_leader()));
  const auto list = members();
  const Member* member = find_member(*list, target);
  if (member == nullptr || member->is_learner) {
    return done(tl::unexpected(errors::bad_leader_transferee()));
  }
  raft_->transfer_leader(target, std::move(done));
}

std::vector<Member> Node::other_members() const {
  std::vector<Member> others = *members();
  std::erase_if(others, [this](const Member& m) { return m.id == self_; });
  return others;
}

void Node::hand_over() {
  const auto list = members();
  // A leader that removed itself can't hand over: the others elect one when it is gone.
  if (!progress_.is_leader || find_member(*list, self_) == nullptr) return;
  raft::NodeId target = raft::kNoNode;
  MonoTime longest = MonoTime::max();
  std::size_t voters = 0;
  for (const Member& member : other_members()) {
    if (member.is_learner) continue;
    ++voters;
    const MonoTime since = env_.transport.active_since(member.id);
    if (since == MonoTime{} || since >= longest) continue;
    longest = since;
    target = member.id;
  }
  if (voters == 0) return;
  if (target == raft::kNoNode) {
    return env_.logger.warn("leadership transfer failed", {{"error", errors::unhealthy().message}});
  }
  env_.logger.info("leadership transfer starting", {{"transferee-member-id", id_text(target)}});
  std::promise<Result<>> moved;
  auto future = moved.get_future();
  raft_->transfer_leader(target, [moved = std::move(moved)](Result<> result) mutable {
    moved.set_value(std::move(result));
  });
  if (const auto result = await(*maintenance_executor_, std::move(future)); !result) {
    env_.logger.warn("leadership transfer failed", {{"error", result.error().message}});
  }
}

void Node::on_leader_lost(std::function<void()> lost) {
  upkeep_executor_->post(
      [this, lost = std::move(lost)]() mutable { upkeep_->on_leader_lost(std::move(lost)); });
}

// --- Removal ---------------------------------------------------------------------------------

/// etcd gives the answer of the removal a second to reach its client.
void Node::leave(const std::string& why, Duration after) {
  env_.logger.warn("this member was removed from the cluster for good; stopping",
                   {{"local-member-id", id_text(self_)}, {"reason", why}});
  upkeep_executor_->post_at(env_.runtime.clock().now() + after, [this] { removal_.happen(); });
}

}  // namespace truss::server
