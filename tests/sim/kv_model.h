#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace truss::testing {

/// Operations of the workload; each takes at most one revision.
struct PutOp {
  std::string key;
  std::string value;
  std::int64_t lease = 0;
};
struct DeleteOp {
  std::string key;
  std::string range_end;  ///< empty: the one key
};
/// If `key` exists: put `key` and `other`; else delete `other`.
struct TxnOp {
  std::string key;
  std::string other;
  std::string value;
};
struct GrantOp {
  std::int64_t lease = 0;
};
struct RevokeOp {
  std::int64_t lease = 0;
};
/// Changes no revision; the checks look at the compact revision apart.
struct CompactOp {
  std::int64_t revision = 0;
};
using KvOp = std::variant<PutOp, DeleteOp, TxnOp, GrantOp, RevokeOp, CompactOp>;

std::string describe(const KvOp& op);

struct ModelKey {
  std::string value;
  std::int64_t create_revision = 0;
  std::int64_t mod_revision = 0;
  std::int64_t version = 0;
  std::int64_t lease = 0;

  friend bool operator==(const ModelKey&, const ModelKey&) = default;
};

/// The store as an ordered map: etcd's rules, without its machinery.
class KvModel {
 public:
  KvModel() = default;
  KvModel(std::int64_t revision, std::map<std::string, ModelKey> keys,
          std::set<std::int64_t> leases)
      : revision_(revision), keys_(std::move(keys)), leases_(std::move(leases)) {}

  /// Applies the operation; the revision afterwards. A put with an unknown lease changes nothing.
  std::int64_t apply(const KvOp& op);
  std::int64_t revision() const { return revision_; }
  const std::map<std::string, ModelKey>& keys() const { return keys_; }
  const std::set<std::int64_t>& leases() const { return leases_; }
  friend bool operator==(const KvModel&, const KvModel&) = default;

 private:
  void change(const PutOp& op);
  void change(const DeleteOp& op);
  void change(const TxnOp& op);
  void change(const GrantOp& op) { leases_.insert(op.lease); }
  void change(const RevokeOp& op);
  void change(const CompactOp&) {}
  void put(const std::string& key, const std::string& value, std::int64_t lease);
  /// Number of keys deleted.
  std::size_t erase(const std::string& key, const std::string& range_end);

  std::int64_t revision_ = 1;
  std::map<std::string, ModelKey> keys_;
  std::set<std::int64_t> leases_;
};

/// What clients asked for and were told: the state that a recovered store may be in.
class History {
 public:
  using Ticket = std::uint64_t;
  /// The operation was sent.
  Ticket begin(KvOp op);
  /// It was answered as done; `revision`: of the response's header. Answers come in the order of
  /// applying.
  void acknowledge(Ticket ticket, std::int64_t revision);
  /// It was answered with an error by which it changed nothing.
  void refuse(Ticket ticket) { open_.erase(ticket); }

  /// The member restarted and shows `seen`: what was in flight has happened or never will.
  void restart_from(KvModel seen);

  std::size_t in_flight() const { return open_.size(); }
  std::uint64_t acknowledged() const { return acknowledged_; }
  /// What all acknowledged operations give, as far as their revisions follow on each other.
  const KvModel& settled() const { return settled_; }
  std::int64_t compacted() const { return compacted_; }
  /// Largest compaction asked for.
  std::int64_t compaction_asked() const { return compaction_asked_; }

  /// Looks for an order of acknowledged operations and any of those in flight that gives the state.
  /// Empty if there is one, else what is wrong.
  std::string explain(const KvModel& seen) const;

 private:
  struct Acknowledged {
    KvOp op;
    std::int64_t revision;
  };
  bool reachable(const KvModel& state, std::size_t next, std::set<Ticket>& used,
                 const KvModel& seen) const;
  bool try_acknowledged(const KvModel& state, std::size_t next, std::set<Ticket>& used,
                        const KvModel& seen) const;
  void settle();

  KvModel settled_;
  std::vector<Acknowledged> waiting_;  // acknowledged, but something before them is in flight
  std::map<Ticket, KvOp> open_;
  Ticket last_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::int64_t compacted_ = -1;
  std::int64_t compaction_asked_ = -1;
};

}  // namespace truss::testing
