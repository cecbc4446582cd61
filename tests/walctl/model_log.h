#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "truss/common/bytes.h"

/// A log as its maker knows it: what each record is, where it lies, and what became of it. Written
/// apart from the library that judges it.
namespace truss::walctl_test {

enum class Kind : std::uint8_t { kMetadata = 1, kEntry = 2, kState = 3, kCrc = 4, kSnapshot = 5 };

struct ModelRecord {
  Kind kind{};
  std::uint64_t index = 0;  ///< of an entry or snapshot
  std::uint64_t term = 0;
  std::uint64_t commit = 0;  ///< of a state
  bool conf_change = false;
  std::uint64_t batch = 0;  ///< the save it belongs to
  // Where it lies:
  std::size_t segment = 0;
  std::uint64_t offset = 0;      ///< of its frame
  std::uint64_t data_begin = 0;  ///< of its payload
  std::uint64_t data_end = 0;
  std::uint64_t end = 0;        ///< of its frame
  std::uint64_t crc_begin = 0;  ///< of the varint of its stored CRC
};

struct ModelLog {
  std::vector<ModelRecord> records;
  std::map<std::string, std::string> files;  ///< segment name to bytes
  std::vector<std::string> names;            ///< in order
  std::vector<std::uint64_t> first_index;    ///< by segment, as its name says
  std::uint64_t last = 0;
  std::uint64_t commit = 0;  ///< of the last state

  std::uint64_t used_bytes(std::size_t segment) const;
};

struct Shape {
  std::uint64_t batches = 20;
  std::uint64_t segment_bytes = 4096;  ///< cut once it is that long
  std::uint64_t last_bytes = 16384;    ///< the last one's file
  std::uint64_t snapshot_every = 0;    ///< SNAPSHOT records, in entries; 0: none
  double new_term = 0.1;               ///< odds that a batch begins a term
  double idle_states = 0;  ///< odds of a hard state without entries, not synced, before a batch
};

/// Entry 1 is a membership change; then batches of entries, each closed by a hard state that
/// commits some of what came before it.
ModelLog make_log(std::uint64_t seed, const Shape& shape);

}  // namespace truss::walctl_test
