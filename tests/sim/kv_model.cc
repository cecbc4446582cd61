#include "kv_model.h"

#include <algorithm>

namespace truss::testing {
namespace {

struct Describe {
  std::string operator()(const PutOp& op) const { return "put " + op.key; }
  std::string operator()(const DeleteOp& op) const {
    return "delete " + op.key + (op.range_end.empty() ? "" : ".." + op.range_end);
  }
  std::string operator()(const TxnOp& op) const { return "txn " + op.key + " " + op.other; }
  std::string operator()(const GrantOp& op) const { return "grant " + std::to_string(op.lease); }
  std::string operator()(const RevokeOp& op) const { return "revoke " + std::to_string(op.lease); }
  std::string operator()(const CompactOp& op) const {
    return "compact " + std::to_string(op.revision);
  }
};

}  // namespace

std::string describe(const KvOp& op) { return std::visit(Describe{}, op); }

std::int64_t KvModel::apply(const KvOp& op) {
  std::visit([this](const auto& o) { change(o); }, op);
  return revision_;
}

void KvModel::put(const std::string& key, const std::string& value, std::int64_t lease) {
  ModelKey& entry = keys_[key];
  if (entry.version++ == 0) entry.create_revision = revision_;
  entry.mod_revision = revision_;
  entry.value = value;
  entry.lease = lease;
}

std::size_t KvModel::erase(const std::string& key, const std::string& range_end) {
  if (range_end.empty()) return keys_.erase(key);
  const auto first = keys_.lower_bound(key);
  const auto last = keys_.lower_bound(range_end);
  const auto n = static_cast<std::size_t>(std::distance(first, last));
  keys_.erase(first, last);
  return n;
}

void KvModel::change(const PutOp& op) {
  if (op.lease != 0 && !leases_.contains(op.lease)) return;
  ++revision_;
  put(op.key, op.value, op.lease);
}

void KvModel::change(const DeleteOp& op) {
  if (erase(op.key, op.range_end) > 0) ++revision_;
}

void KvModel::change(const TxnOp& op) {
  if (keys_.contains(op.key)) {
    ++revision_;
    put(op.key, op.value, 0);
    put(op.other, op.value, 0);
  } else {
    change(DeleteOp{op.other, {}});
  }
}

void KvModel::change(const RevokeOp& op) {
  if (leases_.erase(op.lease) == 0) return;
  const auto n =
      std::erase_if(keys_, [&](const auto& item) { return item.second.lease == op.lease; });
  if (n > 0) ++revision_;
}

History::Ticket History::begin(KvOp op) {
  if (const auto* compact = std::get_if<CompactOp>(&op)) {
    compaction_asked_ = std::max(compaction_asked_, compact->revision);
  }
  open_.emplace(++last_, std::move(op));
  return last_;
}

void History::acknowledge(Ticket ticket, std::int64_t revision) {
  const auto it = open_.find(ticket);
  if (const auto* compact = std::get_if<CompactOp>(&it->second)) {
    compacted_ = std::max(compacted_, compact->revision);
  }
  waiting_.push_back({std::move(it->second), revision});
  open_.erase(it);
  ++acknowledged_;
  settle();
}

void History::restart_from(KvModel seen) {
  settled_ = std::move(seen);
  waiting_.clear();
  open_.clear();
}

/// Applies acknowledged operations for good while nothing in flight can have come before them.
void History::settle() {
  std::size_t done = 0;
  for (; done < waiting_.size(); ++done) {
    KvModel next = settled_;
    if (next.apply(waiting_[done].op) != waiting_[done].revision) break;
    settled_ = std::move(next);
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(done));
}

std::string History::explain(const KvModel& seen) const {
  std::set<Ticket> used;
  if (reachable(settled_, 0, used, seen)) return {};
  std::string out = "store at revision " + std::to_string(seen.revision()) + " with " +
                    std::to_string(seen.keys().size()) + " keys and " +
                    std::to_string(seen.leases().size()) + " leases; settled " +
                    std::to_string(settled_.revision()) + " with " +
                    std::to_string(settled_.keys().size()) + " keys and " +
                    std::to_string(settled_.leases().size()) + " leases";
  for (const auto& [op, revision] : waiting_) {
    out += "; acknowledged " + describe(op) + " at " + std::to_string(revision);
  }
  for (const auto& [ticket, op] : open_) out += "; in flight " + describe(op);
  return out;
}

bool History::try_acknowledged(const KvModel& state, std::size_t next, std::set<Ticket>& used,
                               const KvModel& seen) const {
  if (next == waiting_.size()) return false;
  KvModel after = state;
  return after.apply(waiting_[next].op) == waiting_[next].revision &&
         reachable(after, next + 1, used, seen);
}

bool History::reachable(const KvModel& state, std::size_t next, std::set<Ticket>& used,
                        const KvModel& seen) const {
  if (state.revision() > seen.revision()) return false;
  if (next == waiting_.size() && state == seen) return true;
  if (try_acknowledged(state, next, used, seen)) return true;
  for (const auto& [ticket, op] : open_) {
    if (used.contains(ticket)) continue;
    KvModel after = state;
    after.apply(op);
    if (after == state) continue;
    used.insert(ticket);
    const bool found = reachable(after, next, used, seen);
    used.erase(ticket);
    if (found) return true;
  }
  return false;
}

}  // namespace truss::testing
