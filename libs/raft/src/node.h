#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core.h"
#include "truss/raft/raw_node.h"

namespace truss::raft {

/// The core, and what was handed out of it and not yet acknowledged.
struct RawNode::Impl {
  Impl(const Config& config, const Storage& storage, Random& random, Logger& log)
      : core(config, storage, random, log) {}

  void checked() const {
    if (core.config().check_invariants) core.check_invariants();
  }
  StepResult propose();
  /// The present states are known outside.
  void remember();
  bool has_ready() const;
  Ready& make_ready();
  void advance();
  void entries_applied(std::span<const Entry> entries);

  Core core;
  SoftState previous_soft;
  HardState previous_hard;
  std::vector<Entry> proposal;  // reused

 private:
  bool async() const { return core.config().async_storage_writes; }
  /// Async mode waits for local durability before it applies.
  bool apply_unstable() const { return !async(); }
  void collect_state();
  void collect_messages();
  void collect_storage_messages();
  Message append_done() const;
  bool needs_append_done() const;
  void accept();

  Ready ready_;
  // Sync mode: what happens at advance().
  bool awaiting_advance_ = false;
  MessageList own_messages_;  // our acknowledgements to ourselves
  std::optional<Message> append_done_;
  Index applied_index_;  // zero: nothing was handed out to apply
  std::uint64_t applied_encoded_ = 0;
  std::uint64_t applied_payload_ = 0;
};

BasicStatus basic_status_of(const Core& core);
Status status_of(const Core& core);

}  // namespace truss::raft
