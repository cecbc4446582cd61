#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "truss/bolt/bolt.h"
#include "truss/common/file_system.h"

namespace truss::snaptool_test {

/// One change of a key; no value deletes it.
struct Change {
  std::int64_t main = 0;
  std::int64_t sub = 0;
  std::string key;
  std::optional<std::string> value;
};

/// Writes a db of etcd with that history (versions and create revisions come by themselves) in
/// pages of 1024 bytes; `compacted` is written down as finished, nothing is removed for it.
void write_db(const std::string& path, const std::vector<Change>& history,
              std::optional<std::int64_t> compacted = std::nullopt);

/// The history of the table in the fixtures of HashKV: k0..k4, overwritten and deleted.
std::vector<Change> known_history();

/// Makes `to` the snapshot (with its SHA-256) of the db at `from`.
void snapshot(const std::string& from, const std::string& to);

/// Reads and writes whole files.
std::string contents(const std::string& path);
void write_file(const std::string& path, const std::string& bytes);

}  // namespace truss::snaptool_test
