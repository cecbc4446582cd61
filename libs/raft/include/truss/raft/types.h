#pragma once

#include <cstdint>
#include <vector>

#include "truss/common/bytes.h"
#include "truss/common/strong.h"

/// The words of the raft paper and the records of etcd's raftpb, as plain values.
namespace truss::raft {

using Index = Strong<struct IndexTag>;
using Term = Strong<struct TermTag>;
using NodeId = Strong<struct NodeIdTag>;

inline constexpr NodeId kNoNode{0};
/// Pseudo-nodes that async storage messages are addressed to.
inline constexpr NodeId kLocalAppendThread{UINT64_MAX};
inline constexpr NodeId kLocalApplyThread{UINT64_MAX - 1};

inline bool is_storage_thread(NodeId id) { return id >= kLocalApplyThread; }

enum class EntryType : std::uint8_t { kNormal = 0, kConfChange = 1, kConfChangeV2 = 2 };

/// One log entry. `data` is shared, never copied, by log, WAL, peers and apply.
struct Entry {
  Term term{};
  Index index{};
  EntryType type = EntryType::kNormal;
  SharedBytes data{};

  friend bool operator==(const Entry&, const Entry&) = default;
};

/// What must be durable before a message that depends on it leaves.
struct HardState {
  Term term{};
  NodeId vote{};
  Index commit{};

  bool empty() const { return *this == HardState{}; }
  friend bool operator==(const HardState&, const HardState&) = default;
};

/// Membership as raft sees it (raftpb.ConfState). Ids ascending.
struct ConfState {
  std::vector<NodeId> voters{};
  std::vector<NodeId> learners{};
  std::vector<NodeId> voters_outgoing{};
  std::vector<NodeId> learners_next{};
  bool auto_leave = false;

  friend bool operator==(const ConfState&, const ConfState&) = default;
};

struct SnapshotMetadata {
  ConfState conf_state{};
  Index index{};
  Term term{};

  friend bool operator==(const SnapshotMetadata&, const SnapshotMetadata&) = default;
};

/// A raft snapshot; in etcd `data` is the v2-store JSON, and the database travels beside it.
struct Snapshot {
  SharedBytes data{};
  SnapshotMetadata metadata{};

  bool empty() const { return metadata.index == Index{}; }
  friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

enum class ConfChangeType : std::uint8_t {
  kAddNode = 0,
  kRemoveNode = 1,
  kUpdateNode = 2,
  kAddLearnerNode = 3,
};

/// raftpb.ConfChange: the only membership entry that etcd's servers propose.
struct ConfChange {
  std::uint64_t id = 0;
  ConfChangeType type = ConfChangeType::kAddNode;
  NodeId node_id{};
  SharedBytes context{};

  friend bool operator==(const ConfChange&, const ConfChange&) = default;
};

/// How a ConfChangeV2 enters and leaves the joint configuration.
enum class ConfChangeTransition : std::uint8_t {
  kAuto = 0,           ///< simple if it is one change, else as kJointImplicit
  kJointImplicit = 1,  ///< joint; left by the leader itself
  kJointExplicit = 2,  ///< joint; left by an empty ConfChangeV2
};

/// One step of a ConfChangeV2.
struct ConfChangeSingle {
  ConfChangeType type = ConfChangeType::kAddNode;
  NodeId node_id;

  friend bool operator==(const ConfChangeSingle&, const ConfChangeSingle&) = default;
};

/// raftpb.ConfChangeV2: any number of changes at once, by joint consensus where needed.
/// Without changes and with kAuto it leaves the joint configuration.
/// Caution: etcd 3.4 to 3.7 read it, but their servers panic when they apply one.
struct ConfChangeV2 {
  ConfChangeTransition transition = ConfChangeTransition::kAuto;
  std::vector<ConfChangeSingle> changes;
  SharedBytes context;

  friend bool operator==(const ConfChangeV2&, const ConfChangeV2&) = default;
};

/// raftpb.MessageType by wire number.
enum class MessageType : std::uint8_t {
  kHup = 0,
  kBeat = 1,
  kProp = 2,
  kApp = 3,
  kAppResp = 4,
  kVote = 5,
  kVoteResp = 6,
  kSnap = 7,
  kHeartbeat = 8,
  kHeartbeatResp = 9,
  kUnreachable = 10,
  kSnapStatus = 11,
  kCheckQuorum = 12,
  kTransferLeader = 13,
  kTimeoutNow = 14,
  kReadIndex = 15,
  kReadIndexResp = 16,
  kPreVote = 17,
  kPreVoteResp = 18,
  kStorageAppend = 19,
  kStorageAppendResp = 20,
  kStorageApply = 21,
  kStorageApplyResp = 22,
  kForgetLeader = 23,
  kUnknown = 31,  ///< decoded of a kind that a later release may have; refused at the edge
};

/// raftpb.Message. `responses` are sent by the storage thread after its work is durable.
struct Message {
  MessageType type = MessageType::kHup;
  NodeId to;
  NodeId from;
  Term term;
  Term log_term;
  Index index;
  std::vector<Entry> entries;
  Index commit;
  NodeId vote;
  Snapshot snapshot;  ///< empty() unless the message carries one
  bool has_snapshot = false;
  bool reject = false;
  Index reject_hint;
  SharedBytes context;
  std::vector<Message> responses;

  friend bool operator==(const Message&, const Message&) = default;
};

}  // namespace truss::raft
