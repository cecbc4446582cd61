#include "truss/raft/text.h"

#include <string>

#include "truss/common/bytes.h"
#include "truss/raft/codec.h"

namespace truss::raft {

namespace {

template <class T>
std::string number(T strong) {
  return std::to_string(strong.value());
}

/// Go's form of a slice of numbers: `[1 2]`.
std::string bracketed(const std::vector<NodeId>& ids) {
  std::string out = "[";
  for (NodeId id : ids) out += (out.size() > 1 ? " " : "") + number(id);
  return out + "]";
}

/// `(1 a)`: a set of voters or learners has its ids in hex.
std::string set_text(const std::vector<NodeId>& ids) {
  std::string out = "(";
  for (NodeId id : ids) out += (out.size() > 1 ? " " : "") + node_text(id);
  return out + ")";
}

std::string_view boolean(bool value) { return value ? "true" : "false"; }

std::string payload_text(const Entry& entry) {
  switch (entry.type) {
    case EntryType::kNormal:
      return quoted(entry.data.view());
    case EntryType::kConfChange: {
      const auto change = decode_conf_change(entry.data.view());
      return change ? to_text(as_v2(*change).changes) : change.error().message;
    }
    case EntryType::kConfChangeV2: {
      const auto change = decode_conf_change_v2(entry.data.view());
      return change ? to_text(change->changes) : change.error().message;
    }
  }
  return {};
}

void write_entries(const std::vector<Entry>& entries, const std::string& indent, std::string& out) {
  if (entries.empty()) return;
  out += " Entries:[";
  if (entries.size() == 1) {
    out += to_text(entries.front());
  } else {
    for (const Entry& entry : entries) out += "\n" + indent + "  " + to_text(entry);
    out += "\n" + indent;
  }
  out += "]";
}

void write_message(const Message& m, const std::string& indent, std::string& out) {
  out += indent + node_text(m.from) + "->" + node_text(m.to) + " ";
  out += to_text(m.type);
  out += " Term:" + number(m.term) + " Log:" + number(m.log_term) + "/" + number(m.index);
  if (m.reject) out += " Rejected (Hint: " + number(m.reject_hint) + ")";
  if (m.commit != Index{}) out += " Commit:" + number(m.commit);
  if (m.vote != kNoNode) out += " Vote:" + number(m.vote);
  write_entries(m.entries, indent, out);
  if (!m.snapshot.empty()) out += "\n" + indent + "  Snapshot: " + to_text(m.snapshot);
  if (m.responses.empty()) return;
  out += " Responses:[";
  for (const Message& response : m.responses) {
    out += "\n";
    write_message(response, indent + "  ", out);
  }
  out += "\n" + indent + "]";
}

/// Go's `%v` of a slice of structs with a byte slice: `[{4 [97 98]}]`.
std::string to_text(const std::vector<ReadState>& reads) {
  std::string out = "[";
  for (const ReadState& read : reads) {
    out += (out.size() > 1 ? " {" : "{") + number(read.index) + " [";
    bool first = true;
    for (unsigned char byte : read.context.view()) {
      out += (first ? "" : " ") + std::to_string(byte);
      first = false;
    }
    out += "]}";
  }
  return out + "]";
}

}  // namespace

std::string_view to_text(EntryType type) {
  constexpr std::string_view kNames[] = {"EntryNormal", "EntryConfChange", "EntryConfChangeV2"};
  return kNames[static_cast<std::size_t>(type)];
}

std::string_view to_text(MessageType type) {
  constexpr std::string_view kNames[] = {"MsgHup",
                                         "MsgBeat",
                                         "MsgProp",
                                         "MsgApp",
                                         "MsgAppResp",
                                         "MsgVote",
                                         "MsgVoteResp",
                                         "MsgSnap",
                                         "MsgHeartbeat",
                                         "MsgHeartbeatResp",
                                         "MsgUnreachable",
                                         "MsgSnapStatus",
                                         "MsgCheckQuorum",
                                         "MsgTransferLeader",
                                         "MsgTimeoutNow",
                                         "MsgReadIndex",
                                         "MsgReadIndexResp",
                                         "MsgPreVote",
                                         "MsgPreVoteResp",
                                         "MsgStorageAppend",
                                         "MsgStorageAppendResp",
                                         "MsgStorageApply",
                                         "MsgStorageApplyResp",
                                         "MsgForgetLeader"};
  const auto at = static_cast<std::size_t>(type);
  return at < std::size(kNames) ? kNames[at] : "MsgUnknown";
}

std::string_view to_text(Role role) {
  switch (role) {
    case Role::kFollower:
      return "StateFollower";
    case Role::kCandidate:
      return "StateCandidate";
    case Role::kLeader:
      return "StateLeader";
    case Role::kPreCandidate:
      return "StatePreCandidate";
  }
  return "StateUnknown";
}

std::string_view to_text(ProgressState state) {
  switch (state) {
    case ProgressState::kProbe:
      return "StateProbe";
    case ProgressState::kReplicate:
      return "StateReplicate";
    case ProgressState::kSnapshot:
      return "StateSnapshot";
  }
  return "StateUnknown";
}

std::string_view to_text(Refusal refusal) {
  switch (refusal) {
    case Refusal::kNoLeader:
    case Refusal::kNotMember:
    case Refusal::kTransferring:
    case Refusal::kUncommittedTooBig:
    case Refusal::kForwardingOff:
      return "raft proposal dropped";
    case Refusal::kLocalMessage:
      return "raft: cannot step raft local message";
    case Refusal::kUnknownPeer:
      return "raft: cannot step as peer not found";
    default:
      return reason(refusal);
  }
}

std::string node_text(NodeId id) {
  if (id == kNoNode) return "None";
  if (id == kLocalAppendThread) return "AppendThread";
  if (id == kLocalApplyThread) return "ApplyThread";
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (std::uint64_t v = id.value(); v != 0; v >>= 4) out.insert(out.begin(), kDigits[v & 15]);
  return out;
}

std::string to_text(const Entry& entry) {
  std::string out = number(entry.term) + "/" + number(entry.index) + " ";
  out += to_text(entry.type);
  const std::string payload = payload_text(entry);
  return payload.empty() ? out : out + " " + payload;
}

std::string to_text(std::span<const Entry> entries) {
  std::string out;
  for (const Entry& entry : entries) out += to_text(entry) + "\n";
  return out;
}

std::string to_text(std::span<const ConfChangeSingle> changes) {
  std::string out;
  for (const ConfChangeSingle& change : changes) {
    constexpr char kLetters[] = {'v', 'r', 'u', 'l'};
    if (!out.empty()) out += ' ';
    out += kLetters[static_cast<std::size_t>(change.type)] + number(change.node_id);
  }
  return out;
}

std::string to_text(const HardState& state) {
  std::string out = "Term:" + number(state.term);
  if (state.vote != kNoNode) out += " Vote:" + number(state.vote);
  return out + " Commit:" + number(state.commit);
}

std::string to_text(const Snapshot& snapshot) {
  const ConfState& config = snapshot.metadata.conf_state;
  std::string out =
      "Index:" + number(snapshot.metadata.index) + " Term:" + number(snapshot.metadata.term);
  out += " ConfState:Voters:" + bracketed(config.voters);
  out += " VotersOutgoing:" + bracketed(config.voters_outgoing);
  out += " Learners:" + bracketed(config.learners);
  out += " LearnersNext:" + bracketed(config.learners_next) + " AutoLeave:";
  out += boolean(config.auto_leave);
  return out;
}

std::string to_text(const Message& message) {
  std::string out;
  write_message(message, "", out);
  return out;
}

std::string to_text(const Ready& ready) {
  if (!ready.contains_updates()) return "<empty Ready>";
  std::string out = "Ready MustSync=";
  out += boolean(ready.must_sync);
  out += ":\n";
  if (ready.soft_state) {
    out += "Lead:" + number(ready.soft_state->leader) + " State:";
    out += to_text(ready.soft_state->role);
    out += "\n";
  }
  if (ready.hard_state) out += "HardState " + to_text(*ready.hard_state) + "\n";
  if (!ready.read_states.empty()) out += "ReadStates " + to_text(ready.read_states) + "\n";
  if (!ready.entries.empty()) out += "Entries:\n" + to_text(std::span(ready.entries));
  if (!ready.snapshot.empty()) out += "Snapshot " + to_text(ready.snapshot) + "\n";
  if (!ready.committed_entries.empty()) {
    out += "CommittedEntries:\n" + to_text(std::span(ready.committed_entries));
  }
  if (!ready.messages.empty()) out += "Messages:\n";
  for (const Message& m : ready.messages) out += to_text(m) + "\n";
  return out;
}

std::string config_text(const ConfState& config) {
  std::string out = "voters=" + set_text(config.voters);
  if (!config.voters_outgoing.empty()) out += "&&" + set_text(config.voters_outgoing);
  if (!config.learners.empty()) out += " learners=" + set_text(config.learners);
  if (!config.learners_next.empty()) {
    out += " learners_next=" + set_text(config.learners_next);
  }
  if (config.auto_leave) out += " autoleave";
  return out;
}

std::string to_text(const Progress& progress) {
  std::string out(to_text(progress.state));
  out += " match=" + number(progress.match) + " next=" + number(progress.next);
  if (progress.learner) out += " learner";
  if (progress.paused()) out += " paused";
  if (progress.pending_snapshot != Index{}) {
    out += " pendingSnap=" + number(progress.pending_snapshot);
  }
  if (!progress.recent_active) out += " inactive";
  if (progress.inflights.count() > 0) {
    out += " inflight=" + std::to_string(progress.inflights.count());
    if (progress.inflights.full()) out += "[full]";
  }
  return out;
}

std::string to_text(std::span<const Progress> peers) {
  std::string out;
  for (const Progress& peer : peers) out += number(peer.id) + ": " + to_text(peer) + "\n";
  return out;
}

}  // namespace truss::raft
