#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "truss/common/bytes.h"
#include "truss/common/random.h"
#include "truss/raft/types.h"

namespace truss::peer::testing {

inline raft::Entry random_entry(Random& random, raft::Index index) {
  raft::Entry entry;
  entry.index = index;
  entry.term = raft::Term(random.below(5));
  entry.type = static_cast<raft::EntryType>(random.below(3));
  const std::size_t size = random.below(10) == 0 ? random.below(70'000) : random.below(40);
  entry.data = SharedBytes::copy(std::string(size, static_cast<char>(random.below(256))));
  return entry;
}

inline raft::Message random_append(Random& random) {
  raft::Message m;
  m.type = raft::MessageType::kApp;
  m.from = raft::NodeId(random.next());
  m.to = raft::NodeId(random.next());
  m.term = raft::Term(random.below(3) + 1);
  m.log_term = raft::Term(random.below(2) == 0 ? m.term.value() : random.below(4));
  m.index = raft::Index(random.below(30));
  m.commit = raft::Index(random.below(30));
  const std::size_t count = random.below(4);
  for (std::size_t i = 0; i < count; ++i) {
    m.entries.push_back(random_entry(random, m.index + i + 1));
  }
  return m;
}

/// Anything that a message stream may carry.
inline raft::Message random_message(Random& random) {
  raft::Message m = random_append(random);
  m.type = static_cast<raft::MessageType>(random.below(19));
  m.reject = random.below(2) == 0;
  m.reject_hint = raft::Index(random.below(9));
  if (random.below(3) == 0) m.context = SharedBytes::copy("8 bytes!");
  if (random.below(5) == 0) {
    m.snapshot.data = SharedBytes::copy("{}");
    m.snapshot.metadata.index = raft::Index(random.below(100) + 1);
    m.snapshot.metadata.conf_state.voters = {raft::NodeId(1), raft::NodeId(random.next())};
    m.has_snapshot = true;
  }
  return m;
}

/// Gives `bytes` to `receive` in pieces of random size.
template <class Receive>
void in_pieces(Random& random, ByteView bytes, Receive&& receive) {
  while (!bytes.empty()) {
    const std::size_t size = std::min<std::size_t>(
        bytes.size(), random.below(2) == 0 ? random.below(12) + 1 : random.below(100'000) + 1);
    receive(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
}

}  // namespace truss::peer::testing
