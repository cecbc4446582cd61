#include "harness.h"

#include <algorithm>
#include <utility>

#include "truss/raft/codec.h"
#include "truss/raft/text.h"

namespace truss::conformance {

using raft::Entry;
using raft::Index;
using raft::Message;
using raft::MessageType;
using raft::NodeId;
using raft::Snapshot;

namespace {

bool stays_inside(const Message& m) {
  return m.from == m.to || is_storage_thread(m.from) || is_storage_thread(m.to);
}

std::string id_text(const Node& node) { return std::to_string(node.config.id.value()); }

Unexpected storage_error(const char* what) { return fail(Code::kInternal, what); }

}  // namespace

Result<> Harness::add_nodes(std::size_t count, raft::Config config, const Snapshot& snapshot) {
  const bool bootstrap = snapshot != Snapshot{};
  if (bootstrap && snapshot.metadata.index <= Index{1}) {
    return fail(Code::kInvalidArgument, "index must be specified as > 1 due to bootstrap");
  }
  for (std::size_t i = 0; i < count; ++i) {
    auto node = std::make_unique<Node>();
    config.id = NodeId{nodes_.size() + 1};
    node->config = config;
    node->storage = std::make_unique<HistoryStorage>();
    node->random = std::make_unique<SeededRandom>(config.id.value());
    Snapshot start = snapshot;
    if (bootstrap) {
      start.metadata.term = raft::Term{1};
      if (!node->storage->apply_snapshot(start)) return storage_error("snapshot refused");
    }
    node->storage->history.push_back(start);
    TRUSS_ASSIGN(node->raft, raft::RawNode::create(config, *node->storage, *node->random, logger_));
    nodes_.push_back(std::move(node));
  }
  return {};
}

Result<Node*> Harness::node(std::uint64_t id) {
  if (id == 0 || id > nodes_.size()) {
    return fail(Code::kInvalidArgument, "no node " + std::to_string(id));
  }
  return nodes_[id - 1].get();
}

Result<> Harness::indented(const std::string& header, const std::function<Result<>()>& body) {
  std::string outer = std::exchange(output_, {});
  Result<> result = body();
  const std::string inner = std::exchange(output_, std::move(outer));
  print(header);
  for (std::size_t at = 0; at < inner.size();) {
    const std::size_t end = std::min(inner.find('\n', at), inner.size());
    print("  " + inner.substr(at, end - at) + "\n");
    at = end + 1;
  }
  return result;
}

Result<> Harness::process_ready(Node& node) {
  raft::Ready& ready = node.raft->ready();
  print(raft::to_text(ready));
  if (!node.config.async_storage_writes) {
    TRUSS_TRY(
        store(node, ready.hard_state.value_or(raft::HardState{}), ready.entries, ready.snapshot));
    TRUSS_TRY(apply(node, ready.committed_entries));
  }
  for (Message& m : ready.messages) route(node, m);
  if (!node.config.async_storage_writes) node.raft->advance();
  return {};
}

void Harness::route(Node& node, Message message) {
  if (message.to == raft::kLocalAppendThread) {
    node.append_work.push_back(std::move(message));
  } else if (message.to == raft::kLocalApplyThread) {
    node.apply_work.push_back(std::move(message));
  } else {
    messages_.push_back(std::move(message));
  }
}

Result<> Harness::store(Node& node, const raft::HardState& state, const std::vector<Entry>& entries,
                        const Snapshot& snapshot) {
  if (!state.empty()) node.storage->set_hard_state(state);
  if (snapshot.empty()) {
    node.storage->append(entries);
    return {};
  }
  if (!entries.empty()) return storage_error("can't apply snapshot and entries at the same time");
  if (!node.storage->apply_snapshot(snapshot)) return storage_error("snapshot out of date");
  return {};
}

Result<> Harness::apply(Node& node, const std::vector<Entry>& entries) {
  for (const Entry& entry : entries) {
    Snapshot next = node.storage->history.back();
    SharedBytes update = entry.data;
    if (entry.type != raft::EntryType::kNormal) {
      raft::ConfChangeV2 change;
      if (entry.type == raft::EntryType::kConfChange) {
        TRUSS_ASSIGN(const raft::ConfChange v1, raft::decode_conf_change(entry.data.view()));
        change = raft::as_v2(v1);
      } else {
        TRUSS_ASSIGN(change, raft::decode_conf_change_v2(entry.data.view()));
      }
      update = change.context;
      TRUSS_ASSIGN(next.metadata.conf_state, node.raft->apply_conf_change(change));
    }
    next.data = SharedBytes::copy(std::string(next.data.view()) + std::string(update.view()));
    next.metadata.index = entry.index;
    next.metadata.term = entry.term;
    node.storage->history.push_back(std::move(next));
  }
  return {};
}

Result<> Harness::process_append_thread(Node& node) {
  if (node.append_work.empty()) {
    print("no append work to perform");
    return {};
  }
  Message m = std::move(node.append_work.front());
  node.append_work.pop_front();
  std::vector<Message> responses = std::exchange(m.responses, {});
  print("Processing:\n" + raft::to_text(m) + "\n");
  TRUSS_TRY(store(node, {m.term, m.vote, m.commit}, m.entries, m.snapshot));
  print("Responses:\n");
  for (Message& response : responses) {
    print(raft::to_text(response) + "\n");
    messages_.push_back(std::move(response));
  }
  return {};
}

Result<> Harness::process_apply_thread(Node& node) {
  if (node.apply_work.empty()) {
    print("no apply work to perform");
    return {};
  }
  Message m = std::move(node.apply_work.front());
  node.apply_work.pop_front();
  std::vector<Message> responses = std::exchange(m.responses, {});
  print("Processing:\n" + raft::to_text(m) + "\n");
  TRUSS_TRY(apply(node, m.entries));
  print("Responses:\n");
  for (Message& response : responses) {
    print(raft::to_text(response) + "\n");
    messages_.push_back(std::move(response));
  }
  return {};
}

std::vector<Message> Harness::take_messages(const Recipient& to, const MessageType* type) {
  std::vector<Message> taken;
  std::vector<Message> left;
  for (Message& m : messages_) {
    const bool ours =
        m.to == to.id && !(to.drop && stays_inside(m)) && (type == nullptr || m.type == *type);
    (ours ? taken : left).push_back(std::move(m));
  }
  messages_ = std::move(left);
  return taken;
}

bool Harness::has_mail(NodeId id) const {
  return std::any_of(messages_.begin(), messages_.end(),
                     [id](const Message& m) { return m.to == id; });
}

Result<std::size_t> Harness::deliver(const std::vector<Recipient>& to, const MessageType* type) {
  std::size_t count = 0;
  for (const Recipient& recipient : to) {
    for (Message& m : take_messages(recipient, type)) {
      ++count;
      print((recipient.drop ? "dropped: " : "") + raft::to_text(m) + "\n");
      if (recipient.drop) continue;  // perhaps to a node that does not exist yet
      TRUSS_ASSIGN(Node * target, node(m.to.value()));
      const raft::StepResult result = target->raft->step(std::move(m));
      if (!result) print(std::string(raft::to_text(result.error())) + "\n");
    }
  }
  return count;
}

Result<bool> Harness::run_threads(const std::vector<Node*>& nodes, std::deque<Message> Node::*work,
                                  const char* name, Result<> (Harness::*process)(Node&)) {
  bool worked = false;
  for (Node* node : nodes) {
    if ((node->*work).empty()) continue;
    worked = true;
    const auto drain = [&]() -> Result<> {
      while (!(node->*work).empty()) TRUSS_TRY((this->*process)(*node));
      return {};
    };
    const std::string header = "> " + id_text(*node) + " processing " + name + " thread\n";
    if (Result<> done = indented(header, drain); !done) return tl::unexpected(done.error());
  }
  return worked;
}

Result<bool> Harness::stabilize_once(const std::vector<Node*>& nodes) {
  bool worked = false;
  for (Node* node : nodes) {
    if (!node->raft->has_ready()) continue;
    worked = true;
    const std::string header = "> " + id_text(*node) + " handling Ready\n";
    TRUSS_TRY(indented(header, [&] { return process_ready(*node); }));
  }
  for (Node* node : nodes) {
    if (!has_mail(node->config.id)) continue;
    worked = true;
    const auto receive = [&]() -> Result<> {
      TRUSS_TRY(deliver({{node->config.id}}, nullptr));
      return {};
    };
    const std::string header = "> " + id_text(*node) + " receiving messages\n";
    if (Result<> done = indented(header, receive); !done) return tl::unexpected(done.error());
  }
  TRUSS_ASSIGN(const bool appended,
               run_threads(nodes, &Node::append_work, "append", &Harness::process_append_thread));
  TRUSS_ASSIGN(const bool applied,
               run_threads(nodes, &Node::apply_work, "apply", &Harness::process_apply_thread));
  return worked || appended || applied;
}

Result<> Harness::stabilize(const std::vector<Node*>& nodes) {
  for (;;) {
    TRUSS_ASSIGN(const bool worked, stabilize_once(nodes));
    if (!worked) return {};
  }
}

Result<> Harness::send_snapshot(Node& from, NodeId to) {
  Message m;
  m.type = MessageType::kSnap;
  m.from = from.config.id;
  m.to = to;
  m.term = from.raft->basic_status().hard_state.term;
  m.snapshot = *from.storage->snapshot();
  m.has_snapshot = true;
  print(raft::to_text(m) + "\n");
  messages_.push_back(std::move(m));
  return {};
}

}  // namespace truss::conformance
