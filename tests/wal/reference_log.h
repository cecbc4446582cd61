#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "truss/common/bytes.h"

/// A second, slow and plain reading of the format's rules, written apart from the library: the
/// judge of its verdicts.
namespace truss::wal::reference {

struct Record {
  std::uint64_t offset = 0;
  std::uint64_t type = 0;
  std::uint32_t crc = 0;
  std::string data;
};

enum class End { kClean, kTorn, kDamaged };

struct Log {
  std::vector<Record> records;
  End end = End::kClean;
  std::uint64_t end_offset = 0;  ///< after the last good record
};

/// Reads the only (so also last) segment of a log.
Log read(ByteView file);

/// Bitwise CRC-32C.
std::uint32_t crc32c(ByteView bytes, std::uint32_t seed);

}  // namespace truss::wal::reference
