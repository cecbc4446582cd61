#include "cursor_impl.h"
#include "tx_impl.h"

namespace truss::bolt {

Result<> Cursor::Impl::usable() const {
  if (!bucket.tx.done && !bucket.removed) return {};
  return fail(Code::kFailedPrecondition,
              "bolt " + *bucket.tx.view.path + ": the cursor's transaction or bucket has ended");
}

Result<> Cursor::Impl::placed() const {
  if (where_ != Where::kLost) return usable();
  return fail(Code::kFailedPrecondition, "bolt " + *bucket.tx.view.path +
                                             ": the cursor lost its place by an error; seek again");
}

/// After an error the way down is half done: only a jump helps.
Error Cursor::Impl::lost(Error error) {
  where_ = Where::kLost;
  return error;
}

Result<> Cursor::Impl::start() {
  TRUSS_TRY(usable());
  leaves_ = 0;
  version_ = bucket.version;
  frames_.resize(1);
  frames_[0].index = 0;
  if (!bucket.top(frames_[0].at)) return tl::unexpected(lost(bucket.top_error()));
  return {};
}

Result<> Cursor::Impl::push_child() {
  if (frames_.size() == kMaxDepth) return tl::unexpected(lost(bucket.too_deep()));
  const View& view = bucket.tx.view;
  const Frame& above = top();
  Frame below{{}, 0};
  if (!above.at.child(view, above.index, below.at)) {
    return tl::unexpected(lost(view.explain(above.at.child_page(above.index))));
  }
  frames_.push_back(below);
  return {};
}

Result<> Cursor::Impl::to_first_leaf() {
  while (!top().at.leaf()) TRUSS_TRY(push_child());
  return {};
}

Result<> Cursor::Impl::to_last_leaf() {
  while (true) {
    top().index = top().at.count() > 0 ? top().at.count() - 1 : 0;
    if (top().at.leaf()) return {};
    TRUSS_TRY(push_child());
  }
}

Result<> Cursor::Impl::to_leaf_of(ByteView target, bool& exact) {
  while (!top().at.leaf()) {
    if (!top().at.child_index(target, top().index)) {
      return tl::unexpected(lost(bucket.element_error(top().at, top().index)));
    }
    TRUSS_TRY(push_child());
  }
  if (top().at.lower_bound(target, top().index, exact)) return {};
  return tl::unexpected(lost(bucket.element_error(top().at, top().index)));
}

/// Goes to the first element of the next leaf. False, at the old place, if there is none.
Result<bool> Cursor::Impl::next_leaf() {
  std::size_t level = frames_.size() - 1;
  while (level > 0 && frames_[level - 1].index + 1 >= frames_[level - 1].at.count()) --level;
  if (level == 0) return false;
  if (!top().at.node && ++leaves_ > bucket.tx.meta.high_water) {
    return tl::unexpected(lost(bucket.too_many_leaves()));
  }
  frames_.resize(level);
  ++top().index;
  TRUSS_TRY(push_child());
  TRUSS_TRY(to_first_leaf());
  const Frame& above = frames_[frames_.size() - 2];
  if (!above.at.node && above.index + 1 < above.at.count()) {
    bucket.tx.view.prefetch(above.at.page.child(above.index + 1));
  }
  return true;
}

Result<bool> Cursor::Impl::previous_leaf() {
  std::size_t level = frames_.size() - 1;
  while (level > 0 && frames_[level - 1].index == 0) --level;
  if (level == 0) return false;
  if (!top().at.node && ++leaves_ > bucket.tx.meta.high_water) {
    return tl::unexpected(lost(bucket.too_many_leaves()));
  }
  frames_.resize(level);
  --top().index;
  TRUSS_TRY(push_child());
  TRUSS_TRY(to_last_leaf());
  return true;
}

Cursor::Impl::Pair Cursor::Impl::off(Where where) {
  where_ = where;
  return std::nullopt;
}

Cursor::Impl::Pair Cursor::Impl::current() {
  KeyValue kv;
  if (!top().at.pair(top().index, kv)) {
    return tl::unexpected(lost(bucket.element_error(top().at, top().index)));
  }
  where_ = Where::kAt;
  key_ = kv.key;
  if (kv.is_bucket) kv.value = {};
  return kv;
}

/// The element at the current place or, past the end of a leaf, the next one.
Cursor::Impl::Pair Cursor::Impl::settle_forward() {
  while (top().index >= top().at.count()) {
    TRUSS_ASSIGN(const bool moved, next_leaf());
    if (!moved) return off(Where::kAfter);
  }
  return current();
}

Cursor::Impl::Pair Cursor::Impl::settle_backward() {
  while (top().at.count() == 0) {
    TRUSS_ASSIGN(const bool moved, previous_leaf());
    if (!moved) return off(Where::kBefore);
  }
  return current();
}

Cursor::Impl::Pair Cursor::Impl::first() {
  TRUSS_TRY(start());
  TRUSS_TRY(to_first_leaf());
  return settle_forward();
}

Cursor::Impl::Pair Cursor::Impl::last() {
  TRUSS_TRY(start());
  TRUSS_TRY(to_last_leaf());
  return settle_backward();
}

Cursor::Impl::Pair Cursor::Impl::seek(ByteView target) {
  TRUSS_TRY(start());
  bool exact = false;
  TRUSS_TRY(to_leaf_of(target, exact));
  return settle_forward();
}

Cursor::Impl::Pair Cursor::Impl::next() {
  if (where_ == Where::kAt && version_ == bucket.version && !bucket.tx.done) [[likely]] {
    if (++top().index < top().at.count()) return current();
    return settle_forward();
  }
  TRUSS_TRY(placed());
  if (where_ == Where::kBefore) return first();
  if (where_ == Where::kAfter) return std::nullopt;
  TRUSS_TRY(start());
  bool exact = false;
  TRUSS_TRY(to_leaf_of(key_, exact));
  if (exact) ++top().index;
  return settle_forward();
}

Cursor::Impl::Pair Cursor::Impl::prev() {
  TRUSS_TRY(placed());
  if (where_ == Where::kAfter) return last();
  if (where_ == Where::kBefore) return std::nullopt;
  if (version_ != bucket.version) {
    TRUSS_TRY(start());
    bool exact = false;
    TRUSS_TRY(to_leaf_of(key_, exact));
  }
  if (top().index > 0) {
    --top().index;
    return current();
  }
  TRUSS_ASSIGN(const bool moved, previous_leaf());
  if (!moved) return off(Where::kBefore);
  return settle_backward();
}

Result<> Cursor::Impl::remove() {
  TRUSS_TRY(usable());
  if (where_ != Where::kAt) {
    return fail(Code::kFailedPrecondition,
                "bolt " + *bucket.tx.view.path + ": the cursor is not on a pair");
  }
  return Bucket(&bucket).remove(key_);
}

Cursor::Cursor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Cursor::Cursor(Cursor&&) noexcept = default;
Cursor& Cursor::operator=(Cursor&&) noexcept = default;
Cursor::~Cursor() = default;

Result<std::optional<KeyValue>> Cursor::first() { return impl_->first(); }
Result<std::optional<KeyValue>> Cursor::last() { return impl_->last(); }
Result<std::optional<KeyValue>> Cursor::next() { return impl_->next(); }
Result<std::optional<KeyValue>> Cursor::prev() { return impl_->prev(); }
Result<std::optional<KeyValue>> Cursor::seek(ByteView key) { return impl_->seek(key); }
Result<> Cursor::remove() { return impl_->remove(); }

Cursor Bucket::cursor() const { return Cursor(std::make_unique<Cursor::Impl>(*impl_)); }

}  // namespace truss::bolt
