#include "membership.h"

#include <algorithm>

#include "truss/schema/buckets.h"
#include "truss/schema/membership.h"
#include "truss/server/errors.h"

namespace truss::server {
namespace {

using Keys = std::map<std::string, std::string>;

/// Makes a bucket hold exactly `wanted`.
Result<> correct(mvcc::Backend& backend, schema::BucketId bucket, Keys wanted) {
  std::vector<std::string> surplus;
  TRUSS_TRY(backend.for_each(bucket, [&](ByteView key, ByteView value) -> Result<> {
    const auto it = wanted.find(std::string(key));
    if (it == wanted.end()) {
      surplus.emplace_back(key);
    } else if (it->second == value) {
      wanted.erase(it);
    }
    return {};
  }));
  for (const std::string& key : surplus) backend.remove(bucket, key);
  for (const auto& [key, value] : wanted) backend.put(bucket, key, value);
  return {};
}

bool shares_url(const Member& member, const std::vector<std::string>& urls) {
  return std::any_of(urls.begin(), urls.end(), [&](const std::string& url) {
    return std::find(member.peer_urls.begin(), member.peer_urls.end(), url) !=
           member.peer_urls.end();
  });
}

}  // namespace

void Membership::load(const snap::V2Membership& document) {
  members_.clear();
  for (const snap::V2Member& m : document.members) {
    members_[m.id] = Member{m.id, m.peer_urls, m.is_learner, m.name, m.client_urls};
  }
  removed_ = {document.removed.begin(), document.removed.end()};
  version_ = document.version;
  publish();
}

Result<> Membership::recover(mvcc::Backend& backend) {
  TRUSS_ASSIGN(const auto stored, backend.get(schema::BucketId::kCluster, schema::kDowngradeKey));
  downgrade_ = {};
  if (stored) {
    TRUSS_ASSIGN(downgrade_, schema::decode_downgrade(*stored));
  }
  std::lock_guard lock(mutex_);  // the members may be shown ones: nothing else is published
  published_downgrade_ = downgrade_;
  return {};
}

void Membership::show(std::vector<Member> fetched) {
  std::sort(fetched.begin(), fetched.end(),
            [](const Member& a, const Member& b) { return a.id < b.id; });
  std::lock_guard lock(mutex_);
  published_ = std::make_shared<const std::vector<Member>>(std::move(fetched));
}

Result<> Membership::attach(mvcc::Backend& backend) {
  const mvcc::Backend::Hold hold(backend);
  backend_ = &backend;
  Keys members;
  Keys removed;
  for (const auto& [id, member] : members_) members[id_text(id)] = member_json(member);
  for (const raft::NodeId id : removed_) removed[id_text(id)] = schema::kRemovedValue;
  TRUSS_TRY(correct(backend, schema::BucketId::kMembers, std::move(members)));
  TRUSS_TRY(correct(backend, schema::BucketId::kMembersRemoved, std::move(removed)));
  TRUSS_ASSIGN(const auto stored,
               backend.get(schema::BucketId::kCluster, schema::kClusterVersionKey));
  if (!version_.empty() && stored != version_) {
    backend.put(schema::BucketId::kCluster, schema::kClusterVersionKey, version_);
  }
  return {};
}

Result<> Membership::check(const raft::ConfChange& change, const MemberContext& context) const {
  const auto error = [](Error e) { return tl::unexpected(std::move(e)); };
  const auto known = members_.find(change.node_id);
  const bool adds = change.type == raft::ConfChangeType::kAddNode ||
                    change.type == raft::ConfChangeType::kAddLearnerNode;
  if (removed_.contains(change.node_id)) return error(errors::member_not_found());
  if (adds && !context.is_promote && known != members_.end()) {
    return error(errors::member_exists());
  }
  if ((!adds || context.is_promote) && known == members_.end()) {
    return error(errors::member_not_found());
  }
  if (context.is_promote && !known->second.is_learner) return error(errors::member_not_learner());
  if (change.type == raft::ConfChangeType::kRemoveNode || context.is_promote) return {};
  for (const auto& [id, member] : members_) {
    if (id != change.node_id && shares_url(member, context.member.peer_urls)) {
      return error(errors::peer_url_exists());
    }
  }
  const auto learners = std::count_if(members_.begin(), members_.end(),
                                      [](const auto& m) { return m.second.is_learner; });
  if (context.member.is_learner && learners >= std::int64_t{max_learners_}) {
    return error(errors::too_many_learners());
  }
  return {};
}

void Membership::apply(const raft::ConfChange& change, const MemberContext& context) {
  switch (change.type) {
    case raft::ConfChangeType::kAddNode:
    case raft::ConfChangeType::kAddLearnerNode:
      if (context.is_promote) {
        members_[change.node_id].is_learner = false;
      } else {
        members_[change.node_id] = context.member;
      }
      store(members_[change.node_id]);
      break;
    case raft::ConfChangeType::kUpdateNode:
      members_[change.node_id].peer_urls = context.member.peer_urls;
      store(members_[change.node_id]);
      break;
    case raft::ConfChangeType::kRemoveNode:
      forget(change.node_id);
      break;
  }
  publish();
}

void Membership::set_attributes(raft::NodeId id, const PublishedAttributes& attributes) {
  const auto it = members_.find(id);
  if (it == members_.end()) return;
  it->second.name = attributes.name;
  it->second.client_urls = attributes.client_urls;
  store(it->second);
  publish();
}

void Membership::set_version(const std::string& version) {
  version_ = version;
  if (backend_ != nullptr) {
    backend_->put(schema::BucketId::kCluster, schema::kClusterVersionKey, version);
  }
  publish();
}

/// As etcd keeps it: without a downgrade there is no target.
void Membership::set_downgrade(const schema::Downgrade& info) {
  downgrade_ = info.enabled ? info : schema::Downgrade{};
  if (backend_ != nullptr) {
    backend_->put(schema::BucketId::kCluster, schema::kDowngradeKey,
                  schema::encode_downgrade(downgrade_));
  }
  publish();
}

void Membership::touch() {
  if (!members_.empty()) store(members_.begin()->second);
}

raft::ConfState Membership::conf_state() const {
  raft::ConfState state;
  for (const auto& [id, member] : members_) {
    (member.is_learner ? state.learners : state.voters).push_back(id);
  }
  return state;
}

snap::V2Membership Membership::document() const {
  snap::V2Membership out;
  for (const auto& [id, m] : members_) {
    out.members.push_back({id, m.peer_urls, m.is_learner, m.name, m.client_urls});
  }
  out.removed = {removed_.begin(), removed_.end()};
  out.version = version_;
  return out;
}

std::shared_ptr<const std::vector<Member>> Membership::members() const {
  std::lock_guard lock(mutex_);
  return published_;
}

std::string Membership::version() const {
  std::lock_guard lock(mutex_);
  return published_version_;
}

schema::Downgrade Membership::downgrade() const {
  std::lock_guard lock(mutex_);
  return published_downgrade_;
}

bool Membership::is_removed(raft::NodeId id) const {
  std::lock_guard lock(mutex_);
  return published_removed_.contains(id);
}

void Membership::store(const Member& member) {
  if (backend_ == nullptr) return;
  backend_->put(schema::BucketId::kMembers, id_text(member.id), member_json(member));
}

void Membership::forget(raft::NodeId id) {
  members_.erase(id);
  removed_.insert(id);
  if (backend_ == nullptr) return;
  backend_->remove(schema::BucketId::kMembers, id_text(id));
  backend_->put(schema::BucketId::kMembersRemoved, id_text(id), schema::kRemovedValue);
}

void Membership::publish() {
  auto list = std::make_shared<std::vector<Member>>();
  for (const auto& [id, member] : members_) list->push_back(member);
  std::lock_guard lock(mutex_);
  published_ = std::move(list);
  published_removed_ = removed_;
  published_version_ = version_;
  published_downgrade_ = downgrade_;
}

}  // namespace truss::server
