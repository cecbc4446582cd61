#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "truss/common/error.h"

namespace truss::cluster {

enum class Kind : std::uint8_t {
  kPut,     ///< writes `argument`
  kGet,     ///< linearizable read
  kRemove,  ///< deletes the key
  kSwap,    ///< a txn: writes `argument` if the key holds `expected`, else reads
};

enum class Outcome : std::uint8_t {
  kOk,       ///< answered
  kUnknown,  ///< no answer, or an error that doesn't say that nothing happened
};

/// One call of one client, with all that its answer told.
struct Operation {
  int client = 0;
  Kind kind = Kind::kGet;
  Outcome outcome = Outcome::kUnknown;
  std::string via;            ///< the end point asked
  std::int64_t start_ns = 0;  ///< before the request left
  std::int64_t end_ns = 0;    ///< after the answer came; of unknown ones, when it was given up
  std::string key;
  std::string argument;                 ///< put, swap: what to write
  std::optional<std::string> expected;  ///< swap: nullopt stands for an absent key
  std::optional<std::string> read;      ///< get, failed swap: what was there; nullopt: no key
  bool applied = false;                 ///< remove: a key was deleted; swap: it wrote
  /// A write's own revision, a get's `mod_revision`; 0 where nothing was written or read.
  std::int64_t revision = 0;

  friend bool operator==(const Operation&, const Operation&) = default;
};

using History = std::vector<Operation>;

/// One line, fields separated by tabs: client, kind, outcome, via, start, end, key, argument,
/// expected, read, applied, revision. Values are quoted as hex after `=`, absent ones are `-`.
std::string to_line(const Operation& operation);
/// Errors: kCorruption.
Result<Operation> parse_line(const std::string& line);

/// Errors: the file's.
Result<void> save_history(const History& history, const std::string& path);
Result<History> load_history(const std::string& path);

/// For messages: `client 3 put k1=a at 17 via 127.0.0.1:2379 [12.3ms, 14.0ms]`, times from
/// `zero_ns`.
std::string describe(const Operation& operation, std::int64_t zero_ns = 0);

}  // namespace truss::cluster
