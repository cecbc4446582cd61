#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <string>

#include "fingerprint.h"
#include "truss/snaptool/records.h"
#include "truss/snaptool/verify.h"

namespace truss::snaptool {

/// Rebuilds the key index from the records as they come, and says where they contradict each other.
class IndexCheck {
 public:
  /// `leases`: ids that bucket `lease` has.
  IndexCheck(Inventory& out, const absl::flat_hash_set<std::int64_t>& leases,
             std::function<void(const std::string&)> fault)
      : out_(out), leases_(leases), fault_(std::move(fault)) {}

  void add(const Record& record);
  /// No more records: what only the last state of each key shows.
  void finish();

 private:
  /// Newest record of a key.
  struct State {
    std::int64_t create = 0, version = 0, lease = 0, mod = 0;
    bool live = false;
  };
  void put(const Record& record, const schema::KeyValueView& kv, State& state, bool known);
  void tombstone(const Record& record, State& state, bool known);
  void canonical(const Record& record, const schema::KeyValueView& kv);
  void say(const Record& record, const std::string& what);

  Inventory& out_;
  const absl::flat_hash_set<std::int64_t>& leases_;
  std::function<void(const std::string&)> fault_;
  absl::flat_hash_map<Fingerprint, State, FingerprintHash> keys_;
};

}  // namespace truss::snaptool
