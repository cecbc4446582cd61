#pragma once

#include <algorithm>
#include <string>

#include "truss/peer/transport.h"

namespace truss::peertool {

/// A database of nothing in particular, made in memory.
class Filler final : public peer::SnapshotSource {
 public:
  explicit Filler(std::uint64_t bytes) : left_(bytes) {}
  Result<std::string> read(std::size_t limit) override {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(limit, left_));
    left_ -= size;
    return std::string(size, 'x');
  }

 private:
  std::uint64_t left_;
};

}  // namespace truss::peertool
