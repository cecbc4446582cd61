#pragma once

#include <absl/container/inlined_vector.h>

#include "bucket_impl.h"

namespace truss::bolt {

/// The way from the root to a leaf element. If the bucket has changed since, the next move seeks
/// the current key again, so a cursor survives any change to its bucket.
struct Cursor::Impl {
  explicit Impl(Bucket::Impl& owner) : bucket(owner) {}

  using Pair = Result<std::optional<KeyValue>>;
  Pair first();
  Pair last();
  Pair next();
  Pair prev();
  Pair seek(ByteView target);
  Result<> remove();

 private:
  struct Frame {
    TreeRef at;
    std::uint32_t index;
  };
  enum class Where { kBefore, kAt, kAfter, kLost };

  Result<> usable() const;
  Result<> placed() const;
  Frame& top() { return frames_.back(); }
  Result<> start();
  Result<> push_child();
  Result<> to_first_leaf();
  Result<> to_last_leaf();
  Result<> to_leaf_of(ByteView target, bool& exact);
  Result<bool> next_leaf();
  Result<bool> previous_leaf();
  Pair settle_forward();
  Pair settle_backward();
  Pair current();
  Pair off(Where where);
  Error lost(Error error);

  Bucket::Impl& bucket;
  absl::InlinedVector<Frame, 6> frames_;
  Where where_ = Where::kBefore;
  ByteView key_;
  std::uint64_t version_ = 0;
  /// Leaf pages of the file passed since the last jump: a sound walk meets none twice, so more than
  /// there are pages means a loop.
  std::uint64_t leaves_ = 0;
};

}  // namespace truss::bolt
