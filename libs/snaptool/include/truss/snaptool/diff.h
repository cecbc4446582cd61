#pragma once

#include <cstdint>
#include <functional>

#include "truss/snaptool/key_source.h"

namespace truss::snaptool {

/// A key whose live state differs. The views live during the call that shows it.
struct Difference {
  enum class Kind : std::uint8_t {
    kAdded,    ///< only in B
    kRemoved,  ///< only in A
    kChanged,  ///< other value
    kTouched,  ///< same value, other revision, version or lease
  };
  Kind kind = Kind::kChanged;
  schema::KeyValueView a{};  ///< not of kAdded
  schema::KeyValueView b{};  ///< not of kRemoved
};

struct DiffOptions {
  KeyRange range;
  bool touched = false;         ///< show kTouched too
  std::int64_t revision_a = 0;  ///< 0: the newest
  std::int64_t revision_b = 0;
  std::uint64_t budget_bytes = 64u << 20;  ///< of keys in memory at a time
};

struct DiffCounts {
  std::uint64_t added = 0;
  std::uint64_t removed = 0;
  std::uint64_t changed = 0;
  std::uint64_t touched = 0;
  std::int64_t revision_a = 0;
  std::int64_t revision_b = 0;

  bool equal() const { return added + removed + changed + touched == 0; }
};

using DiffSink = std::function<Result<>(const Difference&)>;

/// Compares the live keys of two files exactly, and shows the differences in key order. Both
/// histories are walked side by side by revision; only keys with a record that the other file lacks
/// are looked at further, so two snapshots of one cluster take little more than reading them.
/// *Errors:* kCorruption; kOutOfRange; those of `sink`.
Result<DiffCounts> diff_files(DbFile& a, DbFile& b, const DiffOptions& options,
                              const DiffSink& sink);

/// The same for any two sources, merged by key.
Result<DiffCounts> diff_sources(KeySource& a, KeySource& b, bool touched, const DiffSink& sink);

}  // namespace truss::snaptool
