#include "interaction.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <map>
#include <sstream>

#include "harness.h"
#include "truss/raft/text.h"

namespace truss::conformance {

using raft::NodeId;

namespace {

Unexpected bad(std::string what) { return fail(Code::kInvalidArgument, std::move(what)); }

/// What the raft library answered, to be printed as the command's output.
constexpr Code kRefused = Code::kFailedPrecondition;

Result<> answered(const raft::StepResult& result) {
  if (result) return {};
  return fail(kRefused, std::string(raft::to_text(result.error())));
}

Result<raft::MessageType> parse_message_type(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(raft::MessageType::kForgetLeader); ++i) {
    const auto type = static_cast<raft::MessageType>(i);
    if (raft::to_text(type) == name) return type;
  }
  return bad("unknown message type " + std::string(name));
}

/// The commands of one file.
class Session {
 public:
  Result<std::string> handle(const Case& c);

 private:
  using Command = Result<> (Session::*)(const Case&);
  static const std::map<std::string_view, Command>& commands();

  Result<> add_nodes(const Case& c);
  Result<> campaign(const Case& c);
  Result<> compact(const Case& c);
  Result<> deliver_msgs(const Case& c);
  Result<> forget_leader(const Case& c);
  Result<> log_level(const Case& c);
  Result<> process_append_thread(const Case& c);
  Result<> process_apply_thread(const Case& c);
  Result<> process_ready(const Case& c);
  Result<> propose(const Case& c);
  Result<> propose_conf_change(const Case& c);
  Result<> raft_log(const Case& c);
  Result<> raft_state(const Case& c);
  Result<> report_unreachable(const Case& c);
  Result<> send_snapshot(const Case& c);
  Result<> set_timeout(const Case& c);
  Result<> stabilize(const Case& c);
  Result<> status(const Case& c);
  Result<> tick_election(const Case& c);
  Result<> tick_heartbeat(const Case& c);
  Result<> transfer_leadership(const Case& c);

  Result<Node*> node_at(const Case& c, std::size_t position);
  /// The nodes named by bare arguments, in their order.
  Result<std::vector<Node*>> named_nodes(const Case& c);
  Result<> for_each_node(const Case& c, const char* what, Result<> (Harness::*process)(Node&));
  Result<> set_level(std::string level);
  Result<> print_log(Node& node);

  Harness harness_;
};

const std::map<std::string_view, Session::Command>& Session::commands() {
  static const std::map<std::string_view, Command> kCommands = {
      {"add-nodes", &Session::add_nodes},
      {"campaign", &Session::campaign},
      {"compact", &Session::compact},
      {"deliver-msgs", &Session::deliver_msgs},
      {"forget-leader", &Session::forget_leader},
      {"log-level", &Session::log_level},
      {"process-append-thread", &Session::process_append_thread},
      {"process-apply-thread", &Session::process_apply_thread},
      {"process-ready", &Session::process_ready},
      {"propose", &Session::propose},
      {"propose-conf-change", &Session::propose_conf_change},
      {"raft-log", &Session::raft_log},
      {"raft-state", &Session::raft_state},
      {"report-unreachable", &Session::report_unreachable},
      {"send-snapshot", &Session::send_snapshot},
      {"set-randomized-election-timeout", &Session::set_timeout},
      {"stabilize", &Session::stabilize},
      {"status", &Session::status},
      {"tick-election", &Session::tick_election},
      {"tick-heartbeat", &Session::tick_heartbeat},
      {"transfer-leadership", &Session::transfer_leadership},
  };
  return kCommands;
}

Result<std::string> Session::handle(const Case& c) {
  const auto command = commands().find(c.command);
  if (command == commands().end()) return bad("unknown command " + c.command);
  const Result<> result = (this->*command->second)(c);
  std::string output = harness_.take_output();
  if (!result) {
    if (result.error().code != kRefused) return tl::unexpected(result.error());
    output = harness_.quiet ? result.error().message : output + result.error().message;
    return output;
  }
  if (harness_.quiet || output.empty()) return "ok";
  return output;
}

Result<Node*> Session::node_at(const Case& c, std::size_t position) {
  if (position >= c.args.size()) return bad(c.command + " needs more arguments");
  TRUSS_ASSIGN(const std::uint64_t id, parse_number(c.args[position].key));
  return harness_.node(id);
}

Result<std::vector<Node*>> Session::named_nodes(const Case& c) {
  std::vector<Node*> out;
  for (std::size_t i = 0; i < c.args.size(); ++i) {
    if (!c.args[i].values.empty()) continue;
    TRUSS_ASSIGN(Node * node, node_at(c, i));
    out.push_back(node);
  }
  return out;
}

Result<std::vector<NodeId>> ids_of(const Arg* arg) {
  std::vector<NodeId> out;
  if (arg == nullptr) return out;
  for (const std::string& value : arg->values) {
    TRUSS_ASSIGN(const std::uint64_t id, parse_number(value));
    out.push_back(NodeId{id});
  }
  return out;
}

Result<> set_config(const Arg& arg, raft::Config& config) {
  const std::string value = arg.values.size() == 1 ? arg.values.front() : "";
  const std::map<std::string_view, bool*> switches = {
      {"async-storage-writes", &config.async_storage_writes},
      {"prevote", &config.pre_vote},
      {"checkquorum", &config.check_quorum},
      {"disable-conf-change-validation", &config.disable_conf_change_validation},
      {"step-down-on-removal", &config.step_down_on_removal},
  };
  const std::map<std::string_view, std::uint64_t*> numbers = {
      {"inflight", &config.max_inflight_messages},
      {"max-committed-size-per-ready", &config.max_committed_size_per_ready},
  };
  if (const auto at = switches.find(arg.key); at != switches.end()) {
    TRUSS_ASSIGN(*at->second, parse_bool(value));
  } else if (const auto number = numbers.find(arg.key); number != numbers.end()) {
    TRUSS_ASSIGN(*number->second, parse_number(value));
  } else if (arg.key == "read-only" && (value == "safe" || value == "lease-based")) {
    config.read_mode = value == "safe" ? raft::ReadMode::kSafe : raft::ReadMode::kLease;
  } else {
    return bad("add-nodes: unknown argument " + arg.key + "=" + value);
  }
  return {};
}

Result<> Session::add_nodes(const Case& c) {
  if (c.args.empty()) return bad("add-nodes needs a count");
  TRUSS_ASSIGN(const std::uint64_t count, parse_number(c.args.front().key));
  raft::Config config;
  config.election_tick = 3;
  config.heartbeat_tick = 1;
  config.max_inflight_messages = std::numeric_limits<std::int32_t>::max();
  config.check_invariants = true;
  raft::Snapshot snapshot;
  for (std::size_t i = 1; i < c.args.size(); ++i) {
    const Arg& arg = c.args[i];
    if (arg.key == "voters") {
      TRUSS_ASSIGN(snapshot.metadata.conf_state.voters, ids_of(&arg));
    } else if (arg.key == "learners") {
      TRUSS_ASSIGN(snapshot.metadata.conf_state.learners, ids_of(&arg));
    } else if (arg.key == "index") {
      TRUSS_ASSIGN(const std::uint64_t index, parse_number(c.value("index")));
      snapshot.metadata.index = config.applied = raft::Index{index};
    } else if (arg.key == "content") {
      snapshot.data = SharedBytes::copy(c.value("content"));
    } else {
      TRUSS_TRY(set_config(arg, config));
    }
  }
  return harness_.add_nodes(count, config, snapshot);
}

Result<> Session::campaign(const Case& c) {
  TRUSS_ASSIGN(Node * node, node_at(c, 0));
  node->raft->campaign();
  return {};
}

Result<> Session::print_log(Node& node) {
  const raft::Index first = node.storage->first_index();
  const raft::Index last = node.storage->last_index();
  if (last < first) {
    harness_.print("log is empty: first index=" + std::to_string(first.value()) +
                   ", last index=" + std::to_string(last.value()));
    return {};
  }
  std::vector<raft::Entry> entries;
  if (!node.storage->entries(first, last + 1, raft::kNoLimit, entries)) {
    return bad("raft-log: entries are missing");
  }
  harness_.print(raft::to_text(std::span<const raft::Entry>(entries)));
  return {};
}

Result<> Session::compact(const Case& c) {
  TRUSS_ASSIGN(Node * node, node_at(c, 0));
  if (c.args.size() < 2) return bad("compact needs an index");
  TRUSS_ASSIGN(const std::uint64_t index, parse_number(c.args[1].key));
  if (!node->storage->compact(raft::Index{index})) {
    return fail(kRefused, "requested index is unavailable due to compaction");
  }
  return print_log(*node);
}

Result<> Session::raft_log(const Case& c) {
  TRUSS_ASSIGN(Node * node, node_at(c, 0));
  return print_log(*node);
}

Result<> Session::deliver_msgs(const Case& c) {
  std::vector<Harness::Recipient> to;
  for (const Arg& arg : c.args) {
    if (arg.values.empty() && arg.key != "drop" && arg.key != "type") {
      TRUSS_ASSIGN(const std::uint64_t id, parse_number(arg.key));
      to.push_back({NodeId{id}, false});
    } else if (arg.key == "drop") {
      TRUSS_ASSIGN(const std::vector<NodeId> ids, ids_of(&arg));
      for (NodeId id : ids) to.push_back({id, true});
    } else if (arg.key != "type") {
      return bad("deliver-msgs: unknown argument " + arg.key);
    }
  }
  const Arg* typed = c.find("type");
  raft::MessageType type{};
  if (typed != nullptr) {
    TRUSS_ASSIGN(type, parse_message_type(c.value("type")));
  }
  TRUSS_ASSIGN(const std::size_t count, harness_.deliver(to, typed != nullptr ? &type : nullptr));
  if (count == 0) harness_.print("no messages\n");
  return {};
}

Result<> Session::forget_leader(const Case& c) {
  TRUSS_ASSIGN(Node * node, node_at(c, 0));
  node->raft->forget_leader();
  return {};
}

Result<> Session::set_level(std::string level) {
  std::transform(level.begin(), level.end(), level.begin(),
                 [](unsigned char ch) { return static_cast<char>(std::tolower(ch)); });
  for (std::string_view known : {"debug", "info", "warn", "error", "fatal", "none"}) {
    if (level != known) continue;
    harness_.quiet = known == "none";
    return {};
  }
  return bad("unknown log level " + level);
}

Result<> Session::log_level(const Case& c) {
  return c.args.empty() ? bad("log-level needs a level") : set_level(c.args.front().key);
}

Result<> Session::for_each_node(const Case& c, const char* what,
                                Result<> (Harness::*process)(Node&)) {
  TRUSS_ASSIGN(const std::vector<Node*> nodes, named_nodes(c));
  if (nodes.empty()) return bad(c.command + " needs a node");
  if (nodes.size() == 1) return (harness_.*process)(*nodes.front());
  for (Node* node : nodes) {
    TRUSS_TRY(harness_.indented("> " + std::to_string(node->config.id.value()) + " " + what + "\n",
                                [&] { return (harness_.*process)(*node); }));
  }
  return {};
}

Result<> Session::process_append_thread(const Case& c) {
  return for_each_node(c, "processing append thread", &Harness::process_append_thread);
}

Result<> Session::process_apply_thread(const Case& c) {
  return for_each_node(c, "processing apply thread", &Harness::process_apply_thread);
}

Result<> Session::process_ready(const Case& c) {
  return for_each_node(c, "handling Ready", &Harness::process_ready);
}

Result<> Session::propose(const Case& c) {
  TRUSS_ASSIGN(Node * node, node_at(c, 0));
  if (c.args.size() != 2 || !c.args[1].values.empty())
    return bad("propose needs a node and a word");
  return answered(node->raft->propose(SharedBytes::copy(c.args[1].key)));
}

Result<> Session::propose_conf_change(const Case& c) {
  TRUSS_ASSIGN(Node * node, node_at(c, 0));
  TRUSS_ASSIGN(const bool v1, parse_bool(c.value("v1", "false")));
  TRUSS_ASSIGN(std::vector<raft::ConfChangeSingle> changes, parse_changes(c.input));
  const std::map<std::string, raft::ConfChangeTransition> transitions = {
      {"auto", raft::ConfChangeTransition::kAuto},
      {"implicit", raft::ConfChangeTransition::kJointImplicit},
      {"explicit", raft::ConfChangeTransition::kJointExplicit}};
  const auto transition = transitions.find(c.value("transition", "auto"));
  if (transition == transitions.end()) return bad("unknown transition");
  if (!v1) {
    return answered(node->raft->propose_conf_change(
        raft::ConfChangeV2{transition->second, std::move(changes), {}}));
  }
  if (changes.size() != 1 || transition->second != raft::ConfChangeTransition::kAuto) {
    return bad("v1 conf change can only have one operation and no transition");
  }
  return answered(node->raft->propose_conf_change(
      raft::ConfChange{0, changes.front().type, changes.front().node_id, {}}));
}

Result<> Session::raft_state(const Case&) {
  for (std::uint64_t id = 1; id <= harness_.size(); ++id) {
    TRUSS_ASSIGN(Node * node, harness_.node(id));
    const raft::Status status = node->raft->status();
    const std::vector<NodeId> voters = raft::all_voters(status.config);
    const bool voter = std::binary_search(voters.begin(), voters.end(), status.id);
    harness_.print(std::to_string(id) + ": " + std::string(raft::to_text(status.soft_state.role)) +
                   (voter ? " (Voter)" : " (Non-Voter)") +
                   " Term:" + std::to_string(status.hard_state.term.value()) +
                   " Lead:" + std::to_string(status.soft_state.leader.value()) + "\n");
  }
  return {};
}

Result<> Session::report_unreachable(const Case& c) {
  TRUSS_ASSIGN(Node * on, node_at(c, 0));
  TRUSS_ASSIGN(Node * about, node_at(c, 1));
  on->raft->report_unreachable(about->config.id);
  return {};
}

Result<> Session::send_snapshot(const Case& c) {
  TRUSS_ASSIGN(Node * from, node_at(c, 0));
  TRUSS_ASSIGN(Node * to, node_at(c, 1));
  return harness_.send_snapshot(*from, to->config.id);
}

Result<> Session::set_timeout(const Case& c) {
  TRUSS_ASSIGN(Node * node, node_at(c, 0));
  TRUSS_ASSIGN(const std::uint64_t ticks, parse_number(c.value("timeout")));
  node->raft->set_randomized_election_timeout(ticks);
  return {};
}

Result<> Session::stabilize(const Case& c) {
  const bool was_quiet = harness_.quiet;
  if (c.find("log-level") != nullptr) TRUSS_TRY(set_level(c.value("log-level")));
  TRUSS_ASSIGN(std::vector<Node*> nodes, named_nodes(c));
  const bool all = nodes.empty();
  for (std::uint64_t id = 1; all && id <= harness_.size(); ++id) {
    TRUSS_ASSIGN(Node * node, harness_.node(id));
    nodes.push_back(node);
  }
  const Result<> result = harness_.stabilize(nodes);
  if (harness_.quiet) (void)harness_.take_output();
  harness_.quiet = was_quiet;
  return result;
}

Result<> Session::status(const Case& c) {
  TRUSS_ASSIGN(Node * node, node_at(c, 0));
  for (const raft::PeerStatus& peer : node->raft->status().peers) {
    harness_.print(std::to_string(peer.progress.id.value()) + ": " + raft::to_text(peer.progress) +
                   "\n");
  }
  return {};
}

Result<> Session::tick_election(const Case& c) {
  TRUSS_ASSIGN(Node * node, node_at(c, 0));
  for (std::uint64_t i = 0; i < node->config.election_tick; ++i) node->raft->tick();
  return {};
}

Result<> Session::tick_heartbeat(const Case& c) {
  TRUSS_ASSIGN(Node * node, node_at(c, 0));
  for (std::uint64_t i = 0; i < node->config.heartbeat_tick; ++i) node->raft->tick();
  return {};
}

Result<> Session::transfer_leadership(const Case& c) {
  TRUSS_ASSIGN(const std::uint64_t from, parse_number(c.value("from")));
  TRUSS_ASSIGN(const std::uint64_t to, parse_number(c.value("to")));
  TRUSS_ASSIGN(Node * node, harness_.node(from));
  node->raft->transfer_leader(NodeId{to});
  return {};
}

}  // namespace

Result<std::vector<raft::ConfChangeSingle>> parse_changes(std::string_view text) {
  std::vector<raft::ConfChangeSingle> out;
  std::istringstream words{std::string(text)};
  for (std::string word; words >> word;) {
    const std::map<char, raft::ConfChangeType> kinds = {
        {'v', raft::ConfChangeType::kAddNode},
        {'l', raft::ConfChangeType::kAddLearnerNode},
        {'r', raft::ConfChangeType::kRemoveNode},
        {'u', raft::ConfChangeType::kUpdateNode}};
    const auto kind = kinds.find(word.front());
    if (kind == kinds.end()) return bad("unknown input: " + word);
    TRUSS_ASSIGN(const std::uint64_t id, parse_number(std::string_view(word).substr(1)));
    out.push_back({kind->second, NodeId{id}});
  }
  return out;
}

Outcome run_interaction(std::string_view text, std::string* rewritten) {
  Session session;
  return run(
      text, true, [&session](const Case& c) { return session.handle(c); }, rewritten);
}

}  // namespace truss::conformance
