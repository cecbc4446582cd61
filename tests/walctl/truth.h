#pragma once

#include <optional>
#include <string>
#include <utility>

#include "model_log.h"

namespace truss::walctl_test {

/// What lies beside the log.
struct Beside {
  bool db = true;
  std::uint64_t applied = 0;   ///< consistent index
  std::uint64_t snapshot = 0;  ///< index of the .snap file, 0: none
};

struct Truth {
  std::string verdict;
  std::optional<std::pair<std::uint64_t, std::uint64_t>> lost;  ///< first and last
};

/// The right verdict on a log of which `files` are left: by comparing them with the original,
/// record by record, under the rules of evidence.
///
/// A record is proved if its own bytes are as they were, and the record before it still shows the
/// CRC that it builds on; a record that only lost its stored CRC is proved by the one behind it.
Truth truth_of(const ModelLog& log, const std::map<std::string, std::string>& files,
               const Beside& beside);

}  // namespace truss::walctl_test
