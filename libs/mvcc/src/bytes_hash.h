#pragma once

#include <absl/container/flat_hash_map.h>

#include <functional>
#include <string>

#include "truss/common/bytes.h"

namespace truss::mvcc {

/// Hashes std::string and ByteView alike, so that look-ups build no string.
struct BytesHash {
  using is_transparent = void;
  std::size_t operator()(ByteView bytes) const { return std::hash<ByteView>()(bytes); }
};

/// A hash map keyed by bytes it owns.
template <class Value>
using BytesMap = absl::flat_hash_map<std::string, Value, BytesHash, std::equal_to<>>;

}  // namespace truss::mvcc
