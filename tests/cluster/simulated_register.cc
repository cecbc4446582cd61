#include "simulated_register.h"

namespace truss::cluster {

SimulatedRegister::SimulatedRegister(SimulationOptions options)
    : options_(options), random_(options.seed) {}

Operation SimulatedRegister::start(int client) {
  Operation op;
  op.client = client;
  op.kind = static_cast<Kind>(random_.below(4));
  op.outcome = Outcome::kOk;
  op.via = "sim";
  op.start_ns = now();
  op.key = "k" + std::to_string(random_.below(static_cast<std::uint64_t>(options_.keys)));
  if (op.kind == Kind::kPut || op.kind == Kind::kSwap) op.argument = std::to_string(++values_);
  if (op.kind == Kind::kSwap && random_.below(3) > 0) op.expected = store_[op.key].value;
  return op;
}

void SimulatedRegister::take_effect(Operation& op) {
  Stored& stored = store_[op.key];
  const bool had = stored.value.has_value();
  op.applied =
      (op.kind == Kind::kRemove && had) || (op.kind == Kind::kSwap && op.expected == stored.value);
  if (op.kind == Kind::kPut || op.applied) {
    stored.value = op.kind == Kind::kRemove ? std::nullopt : std::optional(op.argument);
    stored.revision = ++revision_;
    op.revision = options_.tell_revisions ? revision_ : 0;
    return;
  }
  if (op.kind == Kind::kRemove) return;
  op.read = stored.value;
  if (op.kind == Kind::kGet && had && options_.tell_revisions) op.revision = stored.revision;
}

void SimulatedRegister::run() {
  enum class State { kIdle, kStarted, kDone };
  struct Client {
    State state = State::kIdle;
    Operation operation;
  };
  std::vector<Client> clients(static_cast<std::size_t>(options_.clients));
  std::vector<Operation> limbo;
  int left = options_.operations;
  for (std::size_t busy = 0; left > 0 || busy > 0;) {
    if (!limbo.empty() && random_.below(20) == 0) {
      Operation late = limbo.back();
      limbo.pop_back();
      if (random_.below(2) == 0) take_effect(late);
    }
    const std::size_t index = random_.below(clients.size());
    Client& client = clients[index];
    if (client.state == State::kIdle) {
      if (left == 0) continue;
      --left;
      ++busy;
      client = {State::kStarted, start(static_cast<int>(index))};
    } else if (client.state == State::kStarted &&
               random_.below(100) < static_cast<std::uint64_t>(options_.unknown_percent)) {
      client.operation.outcome = Outcome::kUnknown;
      client.operation.end_ns = now();
      history_.push_back(client.operation);
      limbo.push_back(client.operation);
      client.state = State::kIdle;
      --busy;
    } else if (client.state == State::kStarted) {
      take_effect(client.operation);
      client.state = State::kDone;
    } else {
      client.operation.end_ns = now();
      history_.push_back(client.operation);
      client.state = State::kIdle;
      --busy;
    }
  }
}

Operation& SimulatedRegister::alone(Kind kind, const std::string& key, const std::string& argument,
                                    bool effect) {
  Operation op;
  op.client = 99;
  op.kind = kind;
  op.outcome = Outcome::kOk;
  op.via = "sim";
  op.start_ns = now();
  op.key = key;
  op.argument = argument;
  const Stored before = store_[key];
  take_effect(op);
  if (!effect) store_[key] = before;
  op.end_ns = now();
  history_.push_back(op);
  return history_.back();
}

void SimulatedRegister::apply_again(const Operation& operation) {
  Operation again = operation;
  take_effect(again);
}

}  // namespace truss::cluster
