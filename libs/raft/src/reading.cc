#include <algorithm>
#include <utility>

#include "core.h"

/// Linearizable reads without a log write (raft thesis §6.4).
namespace truss::raft {

std::uint64_t ReadQueue::add(ReadRequest request, Index committed) {
  waiting_.push_back({++last_position_, committed, std::move(request)});
  return last_position_;
}

void ReadQueue::release(std::uint64_t confirmed, std::vector<Waiting>& out) {
  const auto end = std::find_if(waiting_.begin(), waiting_.end(),
                                [&](const Waiting& w) { return w.position > confirmed; });
  out.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
}

SharedBytes read_context(std::uint64_t position) {
  return SharedBytes::build(kReadContextBytes, [position](char* p) {
    for (std::size_t i = 0; i < kReadContextBytes; ++i) {
      p[i] = static_cast<char>(position >> (8 * i));
    }
  });
}

bool read_position(ByteView context, std::uint64_t& position) {
  if (context.size() != kReadContextBytes) return false;
  position = 0;
  for (std::size_t i = kReadContextBytes; i-- > 0;) {
    position = position << 8 | static_cast<unsigned char>(context[i]);
  }
  return true;
}

void Core::read(ReadRequest request) {
  Message m;
  m.type = MessageType::kReadIndex;
  m.entries.emplace_back().data = std::move(request.context);
  m.from = request.from;
  (void)dispatch(m);
}

namespace {
/// A bound on memory, far above what owners that batch their reads ever reach.
constexpr std::size_t kMaxWaitingReads = 16384;
}  // namespace

bool Core::committed_in_term() const { return log_.matches(log_.committed(), term_); }

StepResult Core::on_read_request(Leader& leader, Message& m) {
  if (m.entries.size() != 1) return tl::unexpected(Refusal::kMalformed);
  if (parked_reads_.size() + leader.reads.size() >= kMaxWaitingReads) {
    return tl::unexpected(Refusal::kTooManyReads);
  }
  ReadRequest request{m.from, std::move(m.entries.front().data)};
  if (!committed_in_term()) {
    // Our commit index may still lie behind what an earlier leader acknowledged. etcd skips this
    // test for a single voter; but it, too, may be the last of a greater configuration, or may have
    // restarted with a commit index that was never synced.
    parked_reads_.push_back(std::move(request));
  } else {
    serve_read(leader, std::move(request));
  }
  return {};
}

void Core::serve_read(Leader& leader, ReadRequest request) {
  // A leader that removed itself may lead a single voter, and then is no quorum without it.
  if (config_.read_mode == ReadMode::kLease || tracker_.is_only_voter(id())) {
    return answer_read(request, log_.committed());
  }
  const std::uint64_t position = leader.reads.add(std::move(request), log_.committed());
  if (Progress* self = tracker_.find(id())) self->read_ack = position;
  broadcast_heartbeat(leader);
  release_confirmed_reads(leader);  // where this node is a quorum by itself
}

void Core::answer_read(const ReadRequest& request, Index index) {
  if (request.from == kNoNode || request.from == id()) {
    read_states.push_back({index, request.context});
    return;
  }
  Message& m = emit(MessageType::kReadIndexResp, request.from);
  m.index = index;
  m.entries.emplace_back().data = request.context;
}

void Core::release_parked_reads(Leader& leader) {
  if (parked_reads_.empty() || !committed_in_term()) return;
  for (ReadRequest& request : std::exchange(parked_reads_, {})) {
    serve_read(leader, std::move(request));
  }
}

void Core::release_confirmed_reads(Leader& leader) {
  leader.reads.release(tracker_.read_confirmed(), released_);
  for (const ReadQueue::Waiting& read : released_) answer_read(read.request, read.index);
}

}  // namespace truss::raft
