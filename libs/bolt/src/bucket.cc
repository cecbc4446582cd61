#include <algorithm>

#include "bucket_impl.h"
#include "truss/common/check.h"
#include "tx_impl.h"

namespace truss::bolt {
namespace {

/// Value of a new bucket: no root page, sequence 0, an inline leaf page without elements.
constexpr char kEmptyBucket[kBucketHeaderBytes + kHeaderBytes] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0,         0, 0, 0, 0, 0, 0, 0,  //
    0, 0, 0, 0, 0, 0, 0, 0, kLeafFlag, 0, 0, 0, 0, 0, 0, 0};

Unexpected refuse(const Tx::Impl& tx, Code code, const std::string& what) {
  return fail(code, "bolt " + *tx.view.path + ": " + what);
}

Result<> check_key(const Tx::Impl& tx, ByteView key) {
  if (key.empty()) return refuse(tx, Code::kInvalidArgument, "a key must not be empty");
  if (key.size() <= kMaxKeyBytes) return {};
  return refuse(tx, Code::kInvalidArgument,
                "key of " + std::to_string(key.size()) + " bytes (at most 32768)");
}

Unexpected not_a_bucket(const Tx::Impl& tx, ByteView name) {
  return refuse(tx, Code::kInvalidArgument, "key " + quoted(name) + " holds a value, not a bucket");
}

}  // namespace

Result<> Bucket::Impl::writable() const {
  if (tx.done) return refuse(tx, Code::kFailedPrecondition, "the transaction has ended");
  if (!tx.writable())
    return refuse(tx, Code::kFailedPrecondition, "a read transaction can't write");
  if (removed) return refuse(tx, Code::kFailedPrecondition, "the bucket has been removed");
  return {};
}

Result<> Bucket::Impl::read_value(ByteView value) {
  if (value.size() < kBucketHeaderBytes) {
    return tl::unexpected(tx.view.corrupt(
        value.data(), "bucket " + quoted(name) + " has a value of " + std::to_string(value.size()) +
                          " bytes, too short for its header"));
  }
  root = load_le<std::uint64_t>(value.data());
  sequence = load_le<std::uint64_t>(value.data() + 8);
  if (root == 0 && !View::load_inline(value, inline_page)) {
    return tl::unexpected(
        tx.view.corrupt(value.data(), "bucket " + quoted(name) + " has a bad inline page"));
  }
  if (nesting <= kMaxNesting) return {};
  return tl::unexpected(
      tx.view.corrupt(value.data(), "buckets nested deeper than " + std::to_string(kMaxNesting)));
}

Result<Bucket::Impl*> Bucket::Impl::open(ByteView bucket_name) {
  if (tx.done) return refuse(tx, Code::kFailedPrecondition, "the transaction has ended");
  if (removed) return nullptr;
  if (const auto it = children.find(bucket_name); it != children.end()) return it->second.get();
  KeyValue kv;
  TRUSS_ASSIGN(const bool found, find(bucket_name, kv));
  if (!found || !kv.is_bucket) return nullptr;
  auto child = std::make_unique<Impl>(tx, this, kv.key);
  TRUSS_TRY(child->read_value(kv.value));
  return children.emplace(kv.key, std::move(child)).first->second.get();
}

Result<Bucket::Impl*> Bucket::Impl::create(ByteView bucket_name) {
  TRUSS_TRY(writable());
  TRUSS_TRY(check_key(tx, bucket_name));
  if (nesting == kMaxNesting) {
    return refuse(tx, Code::kInvalidArgument,
                  "buckets can't nest deeper than " + std::to_string(kMaxNesting));
  }
  KeyValue kv;
  TRUSS_ASSIGN(const bool found, find(bucket_name, kv));
  if (found && !kv.is_bucket) return not_a_bucket(tx, bucket_name);
  if (found) return refuse(tx, Code::kAlreadyExists, "bucket " + quoted(bucket_name) + " exists");
  TRUSS_TRY(put(bucket_name, ByteView(kEmptyBucket, sizeof kEmptyBucket), true));
  return open(bucket_name);
}

Result<> Bucket::Impl::remove_child(ByteView bucket_name) {
  TRUSS_TRY(writable());
  KeyValue kv;
  TRUSS_ASSIGN(const bool found, find(bucket_name, kv));
  if (!found) return refuse(tx, Code::kNotFound, "no bucket " + quoted(bucket_name));
  if (!kv.is_bucket) return not_a_bucket(tx, bucket_name);
  TRUSS_ASSIGN(Impl * child, open(bucket_name));
  if (auto dropped = child->drop(); !dropped) {
    tx.broken = dropped.error();
    return dropped;
  }
  const auto it = children.find(bucket_name);
  it->second->mark_removed();
  tx.removed.push_back(std::move(it->second));
  children.erase(it);
  return erase(bucket_name);
}

Result<std::uint32_t> Bucket::Impl::depth_inside() {
  std::uint32_t deepest = 0;
  Cursor cursor = Bucket(this).cursor();
  auto kv = cursor.first();
  for (; kv && *kv; kv = cursor.next()) {
    if (!(*kv)->is_bucket) continue;
    TRUSS_ASSIGN(Impl * child, open((*kv)->key));
    TRUSS_ASSIGN(const std::uint32_t below, child->depth_inside());
    deepest = std::max(deepest, below + 1);
  }
  if (!kv) return tl::unexpected(std::move(kv).error());
  return deepest;
}

void Bucket::Impl::set_nesting(std::uint32_t level) {
  nesting = level;
  for (auto& [child_name, child] : children) child->set_nesting(level + 1);
}

Result<> Bucket::Impl::move_child(ByteView bucket_name, Impl& to) {
  TRUSS_TRY(writable());
  if (&to.tx != &tx || &to == this) {
    return refuse(tx, Code::kInvalidArgument, "a bucket moves to another one of its transaction");
  }
  TRUSS_TRY(to.writable());
  KeyValue kv, taken;
  TRUSS_ASSIGN(const bool found, find(bucket_name, kv));
  if (!found) return refuse(tx, Code::kNotFound, "no bucket " + quoted(bucket_name));
  if (!kv.is_bucket) return not_a_bucket(tx, bucket_name);
  TRUSS_ASSIGN(const bool in_the_way, to.find(bucket_name, taken));
  if (in_the_way && !taken.is_bucket) return not_a_bucket(tx, bucket_name);
  if (in_the_way) {
    return refuse(tx, Code::kAlreadyExists, "bucket " + quoted(bucket_name) + " exists");
  }
  TRUSS_ASSIGN(Impl * child, open(bucket_name));
  for (const Impl* above = &to; above != nullptr; above = above->parent) {
    if (above != child) continue;
    return refuse(tx, Code::kInvalidArgument, "a bucket can't move into itself");
  }
  TRUSS_ASSIGN(const std::uint32_t depth, child->depth_inside());
  if (to.nesting + 1 + depth > kMaxNesting) {
    return refuse(tx, Code::kInvalidArgument,
                  "buckets can't nest deeper than " + std::to_string(kMaxNesting));
  }
  TRUSS_TRY(to.put(kv.key, kv.value, true));
  TRUSS_TRY(to.find(kv.key, taken).map([](bool) {}));
  const auto it = children.find(kv.key);
  std::unique_ptr<Impl> moved = std::move(it->second);
  children.erase(it);
  moved->parent = &to;
  moved->name = taken.key;
  moved->set_nesting(to.nesting + 1);
  to.children.emplace(taken.key, std::move(moved));
  auto erased = erase(kv.key);
  if (!erased) tx.broken = erased.error();
  return erased;
}

Result<std::optional<ByteView>> Bucket::get(ByteView key) const {
  KeyValue kv;
  if (impl_->removed || impl_->tx.done) return std::nullopt;
  TRUSS_ASSIGN(const bool found, impl_->find(key, kv));
  if (!found || kv.is_bucket) return std::nullopt;
  return kv.value;
}

Result<> Bucket::put(ByteView key, ByteView value) {
  TRUSS_TRY(impl_->writable());
  if (!impl_->parent) {
    return refuse(impl_->tx, Code::kInvalidArgument, "the top level takes buckets only");
  }
  TRUSS_TRY(check_key(impl_->tx, key));
  if (value.size() > kMaxValueBytes) {
    return refuse(impl_->tx, Code::kInvalidArgument,
                  "value of " + std::to_string(value.size()) + " bytes (at most 2147483646)");
  }
  return impl_->put(key, value, false);
}

Result<> Bucket::remove(ByteView key) {
  TRUSS_TRY(impl_->writable());
  KeyValue kv;
  TRUSS_ASSIGN(const bool found, impl_->find(key, kv));
  if (!found) return {};
  if (kv.is_bucket) {
    return refuse(impl_->tx, Code::kInvalidArgument,
                  "key " + quoted(key) + " names a bucket; use remove_bucket");
  }
  return impl_->erase(key);
}

Result<std::optional<Bucket>> Bucket::bucket(ByteView name) const {
  TRUSS_ASSIGN(Impl * child, impl_->open(name));
  if (!child) return std::nullopt;
  return Bucket(child);
}

Result<Bucket> Bucket::create_bucket(ByteView name) {
  TRUSS_ASSIGN(Impl * child, impl_->create(name));
  return Bucket(child);
}

Result<Bucket> Bucket::create_bucket_if_absent(ByteView name) {
  TRUSS_TRY(impl_->writable());
  TRUSS_ASSIGN(Impl * child, impl_->open(name));
  if (child) return Bucket(child);
  return create_bucket(name);
}

Result<> Bucket::remove_bucket(ByteView name) { return impl_->remove_child(name); }

Result<> Bucket::move_bucket(ByteView name, Bucket to) {
  return impl_->move_child(name, *to.impl_);
}

std::uint64_t Bucket::sequence() const { return impl_->sequence; }

Result<> Bucket::set_sequence(std::uint64_t value) {
  TRUSS_TRY(impl_->writable());
  impl_->sequence = value;
  impl_->header_changed = true;
  return {};
}

Result<std::uint64_t> Bucket::next_sequence() {
  TRUSS_TRY(set_sequence(impl_->sequence + 1));
  return impl_->sequence;
}

void Bucket::set_fill_percent(double fill) { impl_->fill = std::clamp(fill, 0.1, 1.0); }

}  // namespace truss::bolt
