#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "truss/common/error.h"
#include "truss/schema/records.h"

namespace truss::bolt {
class Tx;
}

/// Whole-db questions asked at start and by tools. Each reads one transaction, counts absent
/// buckets as empty, and fails with kCorruption naming bucket and key.
namespace truss::schema {

/// Bucket `meta`.
struct Meta {
  std::uint64_t consistent_index = 0;  ///< 0 if absent
  std::uint64_t term = 0;              ///< 0 if absent (3.4)
  std::optional<ConfState> conf_state;
  std::optional<std::string> storage_version;  ///< "3.6.0"
  std::optional<std::int64_t> scheduled_compact;
  std::optional<std::int64_t> finished_compact;
};
Result<Meta> read_meta(bolt::Tx& tx);

/// Alarms in key order.
Result<std::vector<Alarm>> read_alarms(bolt::Tx& tx);
/// Leases in id order.
Result<std::vector<LeaseRecord>> read_leases(bolt::Tx& tx);

/// True if authentication is switched on.
Result<bool> read_auth_enabled(bolt::Tx& tx);

}  // namespace truss::schema
