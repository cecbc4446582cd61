#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "datadriven.h"
#include "truss/common/log.h"
#include "truss/common/random.h"
#include "truss/raft/raw_node.h"

namespace truss::conformance {

/// Storage whose snapshot is the newest state that its node applied.
class HistoryStorage final : public raft::MemoryStorage {
 public:
  raft::StorageResult<raft::Snapshot> snapshot() const override { return history.back(); }
  std::vector<raft::Snapshot> history;
};

/// One raft node, its storage, its storage threads' work and its state machine (which appends).
struct Node {
  raft::Config config;
  std::unique_ptr<HistoryStorage> storage;
  std::unique_ptr<SeededRandom> random;
  std::unique_ptr<raft::RawNode> raft;
  std::deque<raft::Message> append_work;
  std::deque<raft::Message> apply_work;
};

/// What the commands work on: nodes numbered from 1, the messages between them, and the output.
/// Every function writes what it did to the output; an error ends the command.
class Harness {
 public:
  /// Silences everything but errors.
  bool quiet = false;

  Result<> add_nodes(std::size_t count, raft::Config config, const raft::Snapshot& snapshot);
  std::size_t size() const { return nodes_.size(); }
  /// *Errors:* kInvalidArgument if there is no node `id`.
  Result<Node*> node(std::uint64_t id);

  Result<> process_ready(Node& node);
  Result<> process_append_thread(Node& node);
  Result<> process_apply_thread(Node& node);
  struct Recipient {
    raft::NodeId id;
    bool drop = false;
  };
  /// Delivers (or drops) what is queued for the recipients; `type` null means every type.
  Result<std::size_t> deliver(const std::vector<Recipient>& to, const raft::MessageType* type);
  Result<> stabilize(const std::vector<Node*>& nodes);
  Result<> send_snapshot(Node& from, raft::NodeId to);

  /// Runs `body` with its output indented by two, under `header`.
  Result<> indented(const std::string& header, const std::function<Result<>()>& body);
  void print(std::string_view text) { output_ += text; }
  std::string take_output() { return std::exchange(output_, {}); }

 private:
  Result<> store(Node& node, const raft::HardState& state, const std::vector<raft::Entry>& entries,
                 const raft::Snapshot& snapshot);
  Result<> apply(Node& node, const std::vector<raft::Entry>& entries);
  void route(Node& node, raft::Message message);
  std::vector<raft::Message> take_messages(const Recipient& to, const raft::MessageType* type);
  bool has_mail(raft::NodeId id) const;
  Result<bool> stabilize_once(const std::vector<Node*>& nodes);
  Result<bool> run_threads(const std::vector<Node*>& nodes, std::deque<raft::Message> Node::*work,
                           const char* name, Result<> (Harness::*process)(Node&));

  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<raft::Message> messages_;
  std::string output_;
  NullLogger logger_;
};

}  // namespace truss::conformance
