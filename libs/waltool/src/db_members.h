#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "truss/common/error.h"

namespace truss::bolt {
class Tx;
}

namespace truss::waltool {

/// The db's pages on membership, byte for byte.
struct DbMembers {
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  Pairs members;
  Pairs removed;
  std::optional<std::string> conf_state;

  friend bool operator==(const DbMembers&, const DbMembers&) = default;
};

Result<DbMembers> read_db_members(bolt::Tx& tx);
/// Replaces them. *Durability:* with the commit of `tx`.
Result<> write_db_members(bolt::Tx& tx, const DbMembers& members);

}  // namespace truss::waltool
