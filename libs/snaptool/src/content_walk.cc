#include "content_walk.h"

#include <algorithm>
#include <atomic>
#include <vector>

#include "truss/bolt/walk.h"
#include "truss/common/crc32c.h"
#include "truss/common/crc32c_combine.h"
#include "truss/common/executor.h"
#include "truss/schema/buckets.h"
#include "truss/schema/revision.h"

// The file as stretches in the order of its keys, each read by whichever thread is free; hashes and
// counts of stretches side by side add up.
namespace truss::snaptool {
namespace {

using bolt::PageWalk;

constexpr ByteView kKeyBucket = schema::bucket_name(schema::BucketId::kKey);
constexpr std::size_t kPartsPerThread = 32;

constexpr int kLevelsToCut = 4;

void append(Content& to, const Content& next) {
  to.hash = crc32c_combine(to.hash, next.hash, next.hashed_bytes);
  to.hashed_bytes += next.hashed_bytes;
  to.entries += next.entries;
  if (next.revision != 0) to.revision = next.revision;
  if (to.live && next.live) to.live->add(*next.live);
}

/// Reads the pairs of the buckets that a walk goes through; of those inside them only the names.
class Reader final : public PageWalk::Observer {
 public:
  /// \param nesting  of the pages the walk begins with; 0: the top level
  /// \param records  they are those of bucket `key`
  Reader(std::optional<LiveTally> live, std::uint32_t nesting, bool records)
      : live_(live), nesting_(nesting), records_(records) {
    fresh();
  }

  /// What was read: with the top level in one page, one piece up to each bucket that has pages of
  /// its own, and one behind them all.
  std::vector<Content> pieces;
  /// Of each of these buckets: whether it is `key`.
  std::vector<bool> holds_records;
  std::optional<Error> fault;

  void page(std::uint64_t, const bolt::PageRef& page, int) override {
    if (page.leaf && nesting_ == 1) pairs(page);
  }
  void enter_bucket(const bolt::KeyValue& element, const bolt::PageRef* inlined) override {
    if (nesting_++ != 0) return;
    records_ = element.key == kKeyBucket;
    inlined_ = inlined != nullptr;
    hash(element.key);
    if (inlined_) pairs(*inlined);
  }
  void leave_bucket() override {
    if (--nesting_ != 0 || inlined_) return;
    holds_records.push_back(records_);
    fresh();
  }

 private:
  void fresh() { pieces.emplace_back().live = live_; }
  void hash(ByteView bytes) {
    pieces.back().hash = crc32c(bytes, pieces.back().hash);
    pieces.back().hashed_bytes += bytes.size();
  }
  void pairs(const bolt::PageRef& page) {
    bolt::KeyValue kv;
    for (std::uint32_t i = 0; i < page.count && page.pair(i, kv); ++i) {
      hash(kv.key);
      if (!kv.is_bucket) hash(kv.value);
      ++pieces.back().entries;
      if (!records_ || fault) continue;
      if (auto read = record(kv); !read) fault = std::move(read).error();
    }
  }
  Result<> record(const bolt::KeyValue& kv) {
    TRUSS_ASSIGN(const auto decoded, schema::decode_revision(kv.key));
    Content& content = pieces.back();
    content.revision = decoded.revision.main;
    return content.live ? content.live->count(kv.key, kv.value) : Result<>{};
  }

  const std::optional<LiveTally> live_;
  std::uint32_t nesting_;
  bool records_;
  bool inlined_ = false;
};

/// A stretch of the file: already read, or a subtree yet to be walked.
struct Stretch {
  std::optional<PageWalk::Part> part;
  bool records = false;  ///< inside bucket `key`
  Content content;
};

class ContentWalk {
 public:
  ContentWalk(const bolt::Tx& tx, unsigned threads, std::optional<LiveTally> live)
      : tx_(tx), seen_(tx.view().page_limit), threads_(std::max(1U, threads)), live_(live) {
    stretches_.push_back({PageWalk::Part{tx.meta().root, {}, 0, 0}, false, {}});
  }

  Result<Content> run() {
    for (int i = 0; threads_ > 1 && i < kLevelsToCut; ++i) {
      if (stretches_.size() < kPartsPerThread * threads_) TRUSS_TRY(cut());
    }
    std::vector<std::optional<Error>> faults(threads_);
    {
      std::vector<Thread> helpers;
      for (unsigned i = 1; i < threads_; ++i) {
        helpers.emplace_back("content", [this, &fault = faults[i]] { fault = work(); });
      }
      faults[0] = work();
    }
    for (auto& fault : faults) {
      if (fault) return tl::unexpected(*std::move(fault));
    }
    Content out = stretches_.front().content;
    for (std::size_t i = 1; i < stretches_.size(); ++i) append(out, stretches_[i].content);
    return out;
  }

 private:
  /// Walks a stretch to its end, or only its first page if `below` wants what lies under it.
  Result<> walk(const Stretch& stretch, Reader& reader, std::vector<PageWalk::Part>* below) {
    std::optional<Error> fault;
    PageWalk walk(tx_.view(), seen_, true, true, [&](Error error) { fault = std::move(error); });
    walk.observe(&reader);
    if (below == nullptr) {
      walk.part(*stretch.part);
    } else {
      *below = walk.below(*stretch.part);
    }
    if (!fault) fault = std::move(reader.fault);
    if (fault) return tl::unexpected(*std::move(fault));
    return {};
  }

  /// Replaces each stretch not yet read by its first page and what lies below.
  Result<> cut() {
    std::vector<Stretch> out;
    for (Stretch& stretch : stretches_) {
      if (!stretch.part) {
        out.push_back(std::move(stretch));
        continue;
      }
      Reader reader(live_, stretch.part->nesting, stretch.records);
      std::vector<PageWalk::Part> below;
      TRUSS_TRY(walk(stretch, reader, &below));
      out.push_back({std::nullopt, false, reader.pieces[0]});
      for (std::size_t i = 0; i < below.size(); ++i) {
        const bool top = i < reader.holds_records.size();
        out.push_back({below[i], top ? reader.holds_records[i] : stretch.records, {}});
        if (top) out.push_back({std::nullopt, false, reader.pieces[i + 1]});
      }
    }
    stretches_ = std::move(out);
    return {};
  }

  /// Takes stretches until there are none, or somebody found a fault.
  std::optional<Error> work() {
    while (!failed_.load(std::memory_order_relaxed)) {
      const std::size_t i = next_.fetch_add(1, std::memory_order_relaxed);
      if (i >= stretches_.size()) break;
      Stretch& stretch = stretches_[i];
      if (!stretch.part) continue;
      Reader reader(live_, stretch.part->nesting, stretch.records);
      auto walked = walk(stretch, reader, nullptr);
      stretch.content = reader.pieces[0];
      for (std::size_t k = 1; k < reader.pieces.size(); ++k)
        append(stretch.content, reader.pieces[k]);
      spare_memory(stretch.content.hashed_bytes);
      if (walked) continue;
      failed_.store(true, std::memory_order_relaxed);
      return std::move(walked).error();
    }
    return std::nullopt;
  }

  /// Gives the mapping back now and then: the stretches are too short for the walks to do it.
  void spare_memory(std::uint64_t bytes) {
    constexpr std::uint64_t kEvery = 96 << 20;  // seldom: the threads fault their pages again
    const std::uint64_t before = read_.fetch_add(bytes, std::memory_order_relaxed);
    if (before / kEvery != (before + bytes) / kEvery) tx_.drop_resident();
  }

  const bolt::Tx& tx_;
  bolt::PageSet seen_;
  const unsigned threads_;
  const std::optional<LiveTally> live_;
  std::vector<Stretch> stretches_;
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> failed_{false};
  std::atomic<std::uint64_t> read_{0};
};

}  // namespace

Result<Content> walk_content(const bolt::Tx& tx, unsigned threads, std::optional<LiveTally> live) {
  return ContentWalk(tx, threads, live).run();
}

}  // namespace truss::snaptool
