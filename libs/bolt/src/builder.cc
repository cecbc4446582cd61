#include "truss/bolt/builder.h"

#include <algorithm>
#include <deque>
#include <vector>

#include "page_stream.h"

// One level of a tree is a list of items that don't make a page yet. A page is written as soon as
// it is known to be full; its first key and id go to the level above.
namespace truss::bolt {

Result<> PageStream::flush() {
  if (buffer_.empty()) return {};
  TRUSS_TRY(file_.pwrite(buffer_, next_id_ * page_size_ - buffer_.size()));
  buffer_.clear();
  return {};
}

Result<char*> PageStream::raw(std::uint64_t pages, std::uint64_t& id) {
  if (buffer_.size() >= kPiece) TRUSS_TRY(flush());
  id = next_id_;
  next_id_ += pages;
  buffer_.resize(buffer_.size() + pages * page_size_);
  return buffer_.data() + buffer_.size() - pages * page_size_;
}

Result<std::uint64_t> PageStream::write(std::span<const Item> items, std::uint64_t bytes,
                                        bool leaf) {
  const std::uint64_t pages = (bytes + page_size_ - 1) / page_size_;
  std::uint64_t id = 0;
  TRUSS_ASSIGN(char* out, raw(pages, id));
  encode_page(items, leaf, id, static_cast<std::uint32_t>(pages - 1), out, pages * page_size_);
  return id;
}

namespace {

/// Items that wait for their page. `cut` of them, `cut_bytes` long, fill one.
struct Level {
  std::vector<Item> items;
  std::uint64_t bytes = kHeaderBytes;
  std::size_t cut = 0;
  std::uint64_t cut_bytes = 0;
};

struct OpenBucket {
  ByteView name;
  std::uint64_t sequence = 0;
  std::vector<Level> levels{1};  ///< from the leaves up
  ByteView last_key;
  bool has_key = false;
  bool has_buckets = false;
  std::deque<std::string> owned;  ///< values of the buckets inside that are not in a page yet
};

}  // namespace

struct Builder::Impl {
  Impl(File& f, std::string p, const Options& o)
      : file(f),
        path(std::move(p)),
        options(o),
        threshold(static_cast<std::uint64_t>(std::clamp(o.fill, 0.1, 1.0) * o.page_size)),
        stream(f, o.page_size) {
    open.emplace_back();
    open.back().sequence = o.sequence;
  }

  Unexpected bad(Code code, const std::string& what) const {
    return fail(code, "bolt " + path + ": " + what);
  }

  Result<> check_key(ByteView key) {
    OpenBucket& bucket = open.back();
    if (key.empty() || key.size() > kMaxKeyBytes) {
      return bad(Code::kInvalidArgument, "key of " + std::to_string(key.size()) + " bytes");
    }
    if (bucket.has_key && compare_keys(key, bucket.last_key) <= 0) {
      return bad(Code::kCorruption,
                 "key " + quoted(key.substr(0, 64)) + " is not greater than the one before it");
    }
    bucket.last_key = key;
    bucket.has_key = true;
    return {};
  }

  Result<> add(OpenBucket& bucket, std::size_t at, const Item& item) {
    Level& level = bucket.levels[at];
    const std::uint64_t size = at == 0 ? item.leaf_bytes() : item.branch_bytes();
    if (level.cut == 0 && level.items.size() >= kMinKeysPerPage && level.bytes + size > threshold) {
      level.cut = level.items.size();
      level.cut_bytes = level.bytes;
    }
    level.items.push_back(item);
    level.bytes += size;
    if (level.cut == 0 || level.items.size() < level.cut + kMinKeysPerPage) return {};
    return emit(bucket, at, level.cut, level.cut_bytes);
  }

  /// Writes the first `count` items of a level as a page.
  Result<> emit(OpenBucket& bucket, std::size_t at, std::size_t count, std::uint64_t bytes) {
    Level& level = bucket.levels[at];
    const ByteView key = count > 0 ? level.items[0].key() : ByteView{};
    TRUSS_ASSIGN(const std::uint64_t id,
                 stream.write(std::span(level.items).first(count), bytes, at == 0));
    level.items.erase(level.items.begin(),
                      level.items.begin() + static_cast<std::ptrdiff_t>(count));
    level.bytes = level.bytes - bytes + kHeaderBytes;
    level.cut = 0;
    if (bucket.levels.size() == at + 1) bucket.levels.emplace_back();
    TRUSS_TRY(add(bucket, at + 1, Item::page(key, id)));
    return {};
  }

  /// Moves the cut so that the last page of a level doesn't get a single child.
  static void leave_two(Level& level, bool leaf) {
    if (leaf || level.items.size() - level.cut >= kMinKeysPerPage || level.cut < 3) return;
    --level.cut;
    level.cut_bytes -= level.items[level.cut].branch_bytes();
  }

  /// Writes all that is left of a tree. Gives its root.
  Result<std::uint64_t> close(OpenBucket& bucket) {
    for (std::size_t at = 0;; ++at) {
      Level& level = bucket.levels[at];
      const bool top = at + 1 == bucket.levels.size();
      if (top && at > 0 && level.items.size() == 1) return level.items[0].page();
      if (level.cut != 0 && level.bytes > options.page_size) {
        leave_two(level, at == 0);
        TRUSS_TRY(emit(bucket, at, level.cut, level.cut_bytes));
      }
      Level& rest = bucket.levels[at];
      if (!rest.items.empty() || (top && at == 0)) {
        TRUSS_TRY(emit(bucket, at, rest.items.size(), rest.bytes));
      }
    }
  }

  Result<std::string> value_of(OpenBucket& bucket) {
    const Level& leaf = bucket.levels[0];
    const bool inlined =
        bucket.levels.size() == 1 && !bucket.has_buckets && leaf.bytes <= options.page_size / 4;
    std::string value(kBucketHeaderBytes + (inlined ? leaf.bytes : 0), '\0');
    store_le(value.data() + 8, bucket.sequence);
    if (inlined) {
      encode_page(leaf.items, true, 0, 0, value.data() + kBucketHeaderBytes, leaf.bytes);
    } else {
      TRUSS_ASSIGN(const std::uint64_t root, close(bucket));
      store_le(value.data(), root);
    }
    return value;
  }

  Result<Meta> write_metas(std::uint64_t root, std::uint64_t freelist) {
    Meta meta{.page_size = options.page_size,
              .root = root,
              .sequence = open.back().sequence,
              .freelist = freelist,
              .high_water = stream.next_id(),
              .txid = 1};
    std::string metas(std::size_t{2} * options.page_size, '\0');
    encode_meta(meta, 1, metas.data() + options.page_size);
    meta.txid = 2;
    encode_meta(meta, 0, metas.data());
    TRUSS_TRY(file.pwrite(metas, 0));
    return meta;
  }

  File& file;
  const std::string path;
  const Options options;
  const std::uint64_t threshold;
  PageStream stream;
  std::deque<OpenBucket> open;  ///< from the top level down; items point into them, so none moves
  std::uint64_t pairs = 0;
};

Builder::Builder(File& file, std::string path, const Options& options)
    : impl_(std::make_unique<Impl>(file, std::move(path), options)) {}
Builder::~Builder() = default;

Result<> Builder::put(ByteView key, ByteView value) {
  if (impl_->open.size() == 1) {
    return impl_->bad(Code::kInvalidArgument, "the top level holds buckets only");
  }
  TRUSS_TRY(impl_->check_key(key));
  if (value.size() > kMaxValueBytes) {
    return impl_->bad(Code::kInvalidArgument,
                      "value of " + std::to_string(value.size()) + " bytes");
  }
  ++impl_->pairs;
  return impl_->add(impl_->open.back(), 0, Item::pair(key, value, false));
}

Result<> Builder::begin_bucket(ByteView name, std::uint64_t sequence) {
  if (impl_->open.size() > kMaxNesting) {
    return impl_->bad(Code::kInvalidArgument, "buckets nested too deep");
  }
  TRUSS_TRY(impl_->check_key(name));
  impl_->open.back().has_buckets = true;
  OpenBucket& bucket = impl_->open.emplace_back();
  bucket.name = name;
  bucket.sequence = sequence;
  return {};
}

Result<> Builder::end_bucket() {
  if (impl_->open.size() == 1) {
    return impl_->bad(Code::kInvalidArgument, "no bucket is open");
  }
  TRUSS_ASSIGN(std::string value, impl_->value_of(impl_->open.back()));
  const ByteView name = impl_->open.back().name;
  impl_->open.pop_back();
  OpenBucket& parent = impl_->open.back();
  if (parent.levels[0].items.empty()) parent.owned.clear();
  parent.owned.push_back(std::move(value));
  return impl_->add(parent, 0, Item::pair(name, parent.owned.back(), true));
}

Result<Meta> Builder::finish() {
  if (impl_->open.size() != 1) return impl_->bad(Code::kInvalidArgument, "a bucket is open");
  TRUSS_ASSIGN(const std::uint64_t root, impl_->close(impl_->open.back()));
  std::uint64_t freelist = kNoFreelist;
  if (impl_->options.store_freelist) {
    TRUSS_ASSIGN(char* page, impl_->stream.raw(1, freelist));
    store_le(page, freelist);
    store_le(page + 8, kFreelistFlag);
  }
  TRUSS_TRY(impl_->stream.flush());
  TRUSS_ASSIGN(Meta meta, impl_->write_metas(root, freelist));
  TRUSS_TRY(impl_->file.sync());
  return meta;
}

std::uint64_t Builder::bytes_written() const { return impl_->stream.bytes(); }
std::uint64_t Builder::pairs() const { return impl_->pairs; }

}  // namespace truss::bolt
