#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "truss/common/bytes.h"
#include "truss/common/error.h"
#include "truss/schema/key_value.h"
#include "truss/schema/revision.h"

namespace truss::mvcc {

using schema::Revision;
using schema::RevisionKey;

/// Names a lease; kNoLease where there is none. Positive in all valid requests.
enum class LeaseId : std::int64_t {};
inline constexpr LeaseId kNoLease{0};

/// One KeyValue as read from the store. `record` is its canonical protobuf form, ready to be
/// spliced into a response; `kv` views into it; `owner` keeps both alive (several may share one).
/// Cheap to copy. Thread: a value; copies may live on other threads.
struct KeyValue {
  SharedBytes owner;
  ByteView record;
  schema::KeyValueView kv;

  const schema::KeyValueView* operator->() const { return &kv; }
  /// Encodes `kv` into fresh bytes.
  static KeyValue encode(const schema::KeyValueView& kv);
  /// Wraps bytes that hold exactly one record. Errors: kCorruption.
  static Result<KeyValue> wrap(SharedBytes record);
};

/// A change of one key, as a watcher sees it.
struct Event {
  enum class Type : std::uint8_t { kPut = 0, kDelete = 1 };
  Type type = Type::kPut;
  KeyValue kv;                      ///< of a delete: key and mod_revision only
  std::optional<KeyValue> prev_kv;  ///< filled by WatchStream::fill_prev_kv only

  /// True for the put that made the key.
  bool is_create() const { return type == Type::kPut && kv->create_revision == kv->mod_revision; }
};

}  // namespace truss::mvcc
