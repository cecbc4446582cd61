#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "truss/schema/key_value.h"
#include "truss/snaptool/db_file.h"
#include "truss/snaptool/endpoint.h"

namespace truss::snaptool {

/// Keys in [first, end); an empty `end` is beyond the last key.
struct KeyRange {
  std::string first;
  std::string end;

  bool contains(ByteView key) const { return key >= first && (end.empty() || key < end); }
};
/// All keys that begin with `prefix`.
KeyRange prefix_range(const std::string& prefix);
/// One key.
KeyRange single_key(const std::string& key);

/// The keys alive at one revision, ascending. *Thread:* one.
class KeySource {
 public:
  virtual ~KeySource() = default;
  /// The next key; nullopt after the last. Its views live until the next call.
  virtual Result<std::optional<schema::KeyValueView>> next() = 0;
  /// The revision that the keys are of.
  virtual std::int64_t revision() const = 0;
};

/// Keys of a file as of `revision` (0: the newest). A file has its records by revision: it is
/// walked once for each `budget_bytes` of keys, and no more than these are in memory.
/// `file` outlives the source. *Errors:* kOutOfRange for a revision that is compacted or future.
Result<std::unique_ptr<KeySource>> file_keys(DbFile& file, KeyRange range, std::int64_t revision,
                                             std::uint64_t budget_bytes = 64u << 20);

/// Keys of a member as of `revision` (0: its present one), fetched page by page.
Result<std::unique_ptr<KeySource>> live_keys(client::Client& member, KeyRange range,
                                             std::int64_t revision);

}  // namespace truss::snaptool
