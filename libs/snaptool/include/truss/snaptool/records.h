#pragma once

#include <cstdint>
#include <functional>

#include "truss/bolt/bolt.h"
#include "truss/schema/key_value.h"
#include "truss/schema/revision.h"

namespace truss::snaptool {

/// Gives the pages of a long walk back to the kernel every few MB.
class MemorySparer {
 public:
  explicit MemorySparer(const bolt::Tx& tx) : tx_(tx) {}
  void touched(std::uint64_t bytes) {
    constexpr std::uint64_t kEvery = 2 << 20;  // times 16: the kernel maps 64 KiB around each page
    if ((since_ += bytes) < kEvery) return;
    since_ = 0;
    tx_.drop_resident();
  }
  /// As touched(), for a read away from the last one: the kernel may map 2 MiB around it.
  void jumped(std::uint64_t bytes) {
    constexpr std::uint64_t kAround = 128 << 10;  // so that 16 of them are kept
    touched(bytes + kAround);
  }

 private:
  const bolt::Tx& tx_;
  std::uint64_t since_ = 0;
};

/// An entry of bucket `key` as the file has it.
struct Record {
  schema::Revision revision;
  bool tombstone = false;
  ByteView key;    ///< the revision's bytes
  ByteView value;  ///< a KeyValue's bytes; empty in the one record of a bumped revision
};

/// Visits all records with `first` <= revision, ascending, until `visit` fails or says false.
/// *Errors:* kCorruption (a key that is no revision, or not greater than the one before it); those
/// of `visit`.
Result<> for_each_record(bolt::Tx& tx, schema::Revision first,
                         const std::function<Result<bool>(const Record&)>& visit);

/// The KeyValue of a record. *Errors:* kCorruption naming the revision.
Result<schema::KeyValueView> decode(const Record& record);

/// The record of a revision, as a KeyValue. *Errors:* kNotFound; kCorruption.
Result<schema::KeyValueView> record_at(bolt::Bucket& keys, schema::Revision revision);

/// The revisions that a file stands at.
struct Revisions {
  std::int64_t current = 1;   ///< of the newest record, or compacted if that is higher; at least 1
  std::int64_t newest = 0;    ///< of the newest record; 0 without any
  std::int64_t compact = -1;  ///< done or ordered; -1: never
};
/// *Errors:* kCorruption.
Result<Revisions> read_revisions(bolt::Tx& tx);

}  // namespace truss::snaptool
