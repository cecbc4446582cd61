#include "corruption_monitor.h"

#include "node.h"

namespace truss::server {

void CorruptionMonitor::check() {
  if (busy_ || !node_.progress_.is_leader || node_.stopping_) return;
  busy_ = true;
  node_.hash_kv(0, [this](Result<mvcc::HashKv> own) {
    executor_.post([this, own = std::move(own)] { own ? ask_others(*own) : give_up(own.error()); });
  });
}

void CorruptionMonitor::ask_others(const mvcc::HashKv& before) {
  poll_hashes(node_.env_.queries, node_.other_members(), node_.cluster_, before.hash_revision,
              node_.config_.request_timeout(), [this, before](std::vector<PeerHash> others) {
                executor_.post([this, before, others = std::move(others)]() mutable {
                  look_again(before, std::move(others));
                });
              });
}

/// The others may have been ahead: only once this member has applied what is agreed by now does it
/// know better than they.
void CorruptionMonitor::look_again(const mvcc::HashKv& before, std::vector<PeerHash> others) {
  node_.linearizable_read_notify([this, before, others = std::move(others)](Result<> read) mutable {
    if (!read) return executor_.post([this, why = read.error()] { give_up(why); });
    node_.hash_kv(0, [this, before, others = std::move(others)](Result<mvcc::HashKv> own) mutable {
      executor_.post([this, before, others = std::move(others), own = std::move(own)] {
        own ? judge(before, *own, others) : give_up(own.error());
      });
    });
  });
}

void CorruptionMonitor::judge(const mvcc::HashKv& before, const mvcc::HashKv& after,
                              const std::vector<PeerHash>& others) {
  busy_ = false;
  std::uint64_t checked = 0;
  for (const PeerHash& other : others) checked += other.answer ? 1 : 0;
  const auto verdict = judge_hashes(node_.self_, before, after, others);
  if (!verdict) {
    return node_.env_.logger.info("finished peer corruption check",
                                  {{"number-of-peers-checked", checked}});
  }
  node_.env_.logger.error("members hold different data",
                          {{"member-id", id_text(verdict->member)}, {"reason", verdict->why}});
  node_.raise_corrupt(verdict->member);
}

void CorruptionMonitor::give_up(const Error& why) {
  busy_ = false;
  node_.env_.logger.warn("failed hash KV check", {{"error", why.message}});
}

}  // namespace truss::server
