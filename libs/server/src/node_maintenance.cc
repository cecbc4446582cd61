#include <future>

#include "node.h"
#include "pledge.h"
#include "snapshot_reader.h"
#include "truss/common/await.h"

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

/// No release's downgrade is carried out by this member yet, so none is ever under way.
void Node::downgrade_enabled(absl::AnyInvocable<void(Result<bool>)> done) {
  linearizable_read_notify([done = std::move(done)](Result<> read) mutable {
    if (!read) return done(tl::unexpected(std::move(read).error()));
    done(false);
  });
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
