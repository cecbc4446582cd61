#include <future>

#include "node.h"
#include "pledge.h"
#include "snapshot_reader.h"
#include "truss/common/await.h"
#include "truss/common/coding.h"
#include "truss/schema/buckets.h"

namespace truss::server {
namespace {

mvcc::HashLevel hash_level(CompatLevel level) {
  switch (level) {
    case CompatLevel::k34:
      return mvcc::HashLevel::k34;
    case CompatLevel::k35:
      return mvcc::HashLevel::k35;
    default:
      return mvcc::HashLevel::k36;
  }
}

/// The members as bolt has them: without a snapshot the log, not replayed yet, holds the others.
Result<std::vector<Member>> stored_members(mvcc::Backend& backend) {
  std::vector<Member> members;
  TRUSS_TRY(backend.for_each(schema::BucketId::kMembers, [&](ByteView, ByteView json) -> Result<> {
    TRUSS_ASSIGN(MemberContext read, parse_member_json(json));
    members.push_back(std::move(read.member));
    return {};
  }));
  return members;
}

}  // namespace

void Node::defragment(DoneCallback done) {
  // std::function wants copies; the callback can't be copied.
  auto shared = std::make_shared<Pledge<void>>(std::move(done));
  backend_->defragment([shared](Result<> result) { (*shared)(std::move(result)); });
}

void Node::hash(HashCallback done) {
  backend_->commit([this, done = std::move(done)]() mutable {
    maintenance_executor_->post(
        [this, done = std::move(done)]() mutable { done(backend_->hash(hash_level(level_))); });
  });
}

void Node::hash_kv(std::int64_t revision, HashKvCallback done) {
  maintenance_executor_->post(
      [this, revision, done = std::move(done)]() mutable { done(store_->hash_kv(revision)); });
}

/// Source: etcdserver CorruptionChecker.InitialCheck.
Result<> Node::check_first(const Opened& opened, ClusterInquiry& inquiry) {
  std::vector<Member> others = *members();
  if (others.empty()) {
    TRUSS_ASSIGN(others, stored_members(*backend_));
  }
  std::erase_if(others, [this](const Member& m) { return m.id == self_; });
  env_.logger.info("starting initial corruption check", {{"local-member-id", id_text(self_)}});
  TRUSS_ASSIGN(const mvcc::HashKv own, store_->hash_kv(0));
  const auto hashes =
      inquiry.hashes(others, opened.cluster, own.hash_revision, config_.request_timeout());
  for (const PeerHash& other : hashes) {
    if (other.answer) continue;
    env_.logger.warn("cannot compare data with a member",
                     {{"remote-peer-id", id_text(other.member)},
                      {"revision", own.hash_revision},
                      {"error", other.answer.error().message}});
  }
  if (const auto wrong = differing(own, hashes); !wrong.empty()) {
    return fail(Code::kDataLoss,
                id_text(self_) + " found data inconsistency with peers: at revision " +
                    std::to_string(own.hash_revision) + " member " + id_text(wrong.front()) +
                    " holds other keys; find out which is wrong, then remove that "
                    "member and add it anew");
  }
  env_.logger.info("initial corruption checking passed; no corruption",
                   {{"local-member-id", id_text(self_)}});
  return {};
}

void Node::raise_corrupt(raft::NodeId member) {
  const raft::NodeId blamed = level_ < CompatLevel::k36 ? raft::kNoNode : member;
  std::string body;
  PbWriter out(body);
  out.put_varint(1, static_cast<std::uint64_t>(AlarmAction::kActivate));
  out.field_varint(2, blamed.value());
  out.put_varint(3, static_cast<std::uint64_t>(AlarmType::kCorrupt));
  propose(Op::kAlarm, body, [](const Result<ApplyResponse>&) {});
}

Result<std::unique_ptr<SnapshotReader>> Node::open_snapshot() {
  std::promise<Result<std::unique_ptr<SnapshotReader>>> opened;
  auto future = opened.get_future();
  // On the backend thread no defragmentation can swap the file between the two steps.
  backend_->commit([this, opened = std::move(opened)]() mutable {
    opened.set_value(FileSnapshotReader::open(env_.files, *backend_));
  });
  return await(*backend_executor_, std::move(future));
}

}  // namespace truss::server
