#include "truss/bolttool/compact.h"

#include "truss/bolt/builder.h"
#include "truss/bolt/check.h"
#include "truss/bolt/walk.h"
#include "truss/common/crc32c.h"

// The old file's pairs go to a Builder page by page, in order. A checksum over them, taken from the
// old file while copying, must come out of the new file too.
namespace truss::bolttool {
namespace {

/// CRC-32C over the sizes and bytes of what a walk meets.
class Digest {
 public:
  void number(std::uint64_t n) {
    char bytes[8];
    store_le(bytes, n);
    crc_ = crc32c(ByteView(bytes, 8), crc_);
  }
  void pair(const bolt::KeyValue& kv) {
    number(kv.key.size() << 32 | kv.value.size());
    crc_ = crc32c(kv.key, crc_);
    crc_ = crc32c(kv.value, crc_);
  }
  void bucket(ByteView name, std::uint64_t sequence) {
    number(~std::uint64_t{name.size()});
    crc_ = crc32c(name, crc_);
    number(sequence);
  }
  void end() { number(~std::uint64_t{0}); }
  std::uint32_t value() const { return crc_; }

 private:
  std::uint32_t crc_ = 0;
};

/// Walks a state in order and hands every pair and bucket on.
template <class Sink>
class Copy {
 public:
  Copy(const bolt::View& view, Sink& sink) : view_(view), sink_(sink), seen_(view.page_limit) {}

  Result<> tree(std::uint64_t id, int depth, std::uint32_t nesting) {
    bolt::PageRef page;
    if (!view_.load(id, page)) return tl::unexpected(view_.explain(id));
    const std::uint64_t pages = std::uint64_t{page.overflow()} + 1;
    if (depth > bolt::kMaxWalkDepth || !seen_.insert({id, pages})) {
      return tl::unexpected(
          view_.corrupt(page.data, "it, or an overflow page of it, is referenced twice"));
    }
    sink_.passed(pages * view_.page_size);
    if (page.leaf) return leaf(page, depth, nesting);
    for (std::uint32_t i = 0; i < page.count; ++i) {
      if (i + 1 < page.count) view_.prefetch(page.child(i + 1));
      TRUSS_TRY(tree(page.child(i), depth + 1, nesting));
    }
    return {};
  }

 private:
  Result<> leaf(const bolt::PageRef& page, int depth, std::uint32_t nesting) {
    for (std::uint32_t i = 0; i < page.count; ++i) {
      bolt::KeyValue kv;
      if (!page.pair(i, kv)) return tl::unexpected(view_.explain_element(page, i));
      if (kv.is_bucket) {
        TRUSS_TRY(bucket(kv, depth, nesting + 1));
      } else {
        TRUSS_TRY(sink_.pair(kv));
      }
    }
    return {};
  }

  Result<> bucket(const bolt::KeyValue& kv, int depth, std::uint32_t nesting) {
    bolt::PageRef inlined;
    const bool whole = kv.value.size() >= bolt::kBucketHeaderBytes;
    const auto root = whole ? load_le<std::uint64_t>(kv.value.data()) : 0;
    if (!whole || nesting > bolt::kMaxNesting ||
        (root == 0 && !bolt::View::load_inline(kv.value, inlined))) {
      return tl::unexpected(
          view_.corrupt(kv.value.data(), "bucket " + quoted(kv.key) + " is damaged"));
    }
    TRUSS_TRY(sink_.begin(kv.key, load_le<std::uint64_t>(kv.value.data() + 8)));
    TRUSS_TRY(root == 0 ? leaf(inlined, depth + 1, nesting) : tree(root, depth + 1, nesting));
    return sink_.end();
  }

  const bolt::View& view_;
  Sink& sink_;
  bolt::PageSet seen_;
};

struct ToBuilder {
  bolt::Builder& builder;
  const CompactOptions& options;
  Digest digest{};
  std::uint64_t bytes = 0;

  void passed(std::uint64_t more) {
    bytes += more;
    if (options.progress) options.progress(bytes);
  }
  Result<> pair(const bolt::KeyValue& kv) {
    digest.pair(kv);
    return builder.put(kv.key, kv.value);
  }
  Result<> begin(ByteView name, std::uint64_t sequence) {
    digest.bucket(name, sequence);
    return builder.begin_bucket(name, sequence);
  }
  Result<> end() {
    digest.end();
    return builder.end_bucket();
  }
};

struct ToDigest {
  Digest digest{};

  void passed(std::uint64_t) {}
  Result<> pair(const bolt::KeyValue& kv) {
    digest.pair(kv);
    return {};
  }
  Result<> begin(ByteView name, std::uint64_t sequence) {
    digest.bucket(name, sequence);
    return {};
  }
  Result<> end() {
    digest.end();
    return {};
  }
};

Result<> verify(File& file, const std::string& path, const bolt::Meta& meta,
                const CompactReport& report, unsigned threads) {
  TRUSS_ASSIGN(auto map, file.map(report.new_bytes, {}));
  bolt::View view;
  view.map = std::move(map);
  view.base = view.map->data();
  view.page_size = meta.page_size;
  view.page_limit = meta.high_water;
  view.path = &path;
  std::string first;
  const auto faults = bolt::check_state(view, meta, threads, [&](const std::string& fault) {
    if (first.empty()) first = fault;
  });
  if (faults > 0) return fail(Code::kCorruption, "the new file is damaged: " + first);
  ToDigest sink;
  Copy<ToDigest> read_back(view, sink);
  TRUSS_TRY(read_back.tree(meta.root, 0, 0));
  if (sink.digest.value() == report.checksum) return {};
  return fail(Code::kCorruption, "bolt " + path + ": the new file doesn't hold what was written");
}

}  // namespace

Result<CompactReport> compact(const Image& image, File& file, const std::string& path,
                              const CompactOptions& options) {
  const bool stored = image.meta().freelist != bolt::kNoFreelist;
  const auto page_size = static_cast<std::uint32_t>(image.page_size());
  bolt::Builder builder(file, path,
                        {.page_size = options.page_size == 0 ? page_size : options.page_size,
                         .fill = options.fill,
                         .store_freelist = options.store_freelist.value_or(stored),
                         .sequence = image.meta().sequence});
  ToBuilder sink{builder, options};
  Copy<ToBuilder> copy(image.view(), sink);
  TRUSS_TRY(copy.tree(image.meta().root, 0, 0));
  TRUSS_ASSIGN(const bolt::Meta meta, builder.finish());
  CompactReport report;
  report.old_bytes = image.file_bytes();
  report.new_bytes = builder.bytes_written();
  report.pairs = builder.pairs();
  report.checksum = sink.digest.value();
  if (options.verify) TRUSS_TRY(verify(file, path, meta, report, options.threads));
  return report;
}

}  // namespace truss::bolttool
