#include <algorithm>
#include <utility>

#include "database.h"
#include "truss/bolt/freelist_page.h"
#include "truss/common/check.h"

// Order of a commit: build all page images in memory; data pages -> sync -> one meta page -> sync;
// then the new state becomes visible. Until the first write everything can still be undone.
namespace truss::bolt {
namespace {

constexpr std::uint64_t kGrowStep = 16 * 1024 * 1024;
constexpr std::uint64_t kSmallestMap = 32 * 1024;
constexpr std::uint64_t kMapStep = std::uint64_t{1} << 30;
/// Pieces of one vectored write.
constexpr std::size_t kMaxPieces = 512;

std::uint64_t map_size(std::uint64_t wanted) {
  if (wanted > kMapStep) return (wanted + kMapStep - 1) / kMapStep * kMapStep;
  std::uint64_t size = kSmallestMap;
  while (size < wanted) size *= 2;
  return size;
}

}  // namespace

PhaseTimer::PhaseTimer(const Options& options)
    : clock_(options.clock), times_(options.times), start_(times_ ? clock_->now() : MonoTime{}) {}

void PhaseTimer::phase(DurationCounts CommitTimes::*counts) {
  if (times_ == nullptr) return;
  const MonoTime now = clock_->now();
  (times_->*counts).add(now - std::exchange(start_, now));
}

Result<> Tx::Impl::commit() {
  if (done || !writable()) {
    return fail(Code::kFailedPrecondition,
                "bolt " + *view.path + ": only an open write transaction can be committed");
  }
  PhaseTimer timer(db.options());
  auto next = build(timer);
  if (!next || next->txid != meta.txid) {  // failed, or nothing to write
    finish();
    if (!next) return tl::unexpected(std::move(next).error());
    return {};
  }
  auto map = db.fits(next->high_water).and_then([&] { return db.mapping_for(next->high_water); });
  if (!map) {
    finish();
    return tl::unexpected(std::move(map).error());
  }
  db.write(dirty, *next);
  timer.phase(&CommitTimes::write);
  writer->freelist.commit(next->txid, db.readers());
  db.publish(*next, std::move(*map));
  if (db.options().strict) db.check_committed();
  finish();
  return {};
}

/// Makes the page images and the meta of the next state. A txid of 0 means nothing changed.
Result<Meta> Tx::Impl::build(PhaseTimer& timer) {
  if (broken) return tl::unexpected(*broken);
  TRUSS_TRY(root.prepare());
  timer.phase(&CommitTimes::rebalance);
  if (!root.changed() && !force) return Meta{};
  TRUSS_TRY(root.spill());
  Meta next = meta;
  next.root = root.root;
  next.sequence = root.sequence;
  TRUSS_TRY(store_freelist(next));
  next.high_water = writer->freelist.high_water();
  timer.phase(&CommitTimes::spill);
  return next;
}

Result<> Tx::Impl::store_freelist(Meta& next) {
  Freelist& list = writer->freelist;
  if (meta.freelist != kNoFreelist) {
    TRUSS_ASSIGN(const StoredFreelist old, read_freelist(view, meta.freelist));
    TRUSS_TRY(free(old.pages));
  }
  next.freelist = kNoFreelist;
  if (db.options().no_freelist_sync) return {};
  const std::uint64_t pages =
      freelist_pages(list.free_count() + list.pending_count(), view.page_size);
  next.freelist = list.allocate(pages);
  char* page = new_page(next.freelist, pages);
  std::fill_n(page, pages * view.page_size, '\0');
  encode_freelist(list.all_runs(), {next.freelist, pages}, page);
  return {};
}

Result<std::shared_ptr<Mapping>> Database::map(std::uint64_t wanted_bytes) {
  const std::uint64_t size = map_size(std::max(wanted_bytes, options_.initial_mmap_size));
  auto mapping = file_->map(size, {.populate = options_.map_populate});
  if (!mapping) {
    Error error = std::move(mapping).error();
    error.code = Code::kResourceExhausted;
    return fail("bolt " + path_ + ": map " + std::to_string(size) + " bytes", std::move(error));
  }
  return std::shared_ptr<Mapping>(std::move(*mapping));
}

Result<> Database::fits(std::uint64_t high_water) const {
  const std::uint64_t bytes = high_water * page_size_;
  if (options_.max_size_bytes == 0 || bytes <= std::max(options_.max_size_bytes, file_bytes_)) {
    return {};
  }
  return fail(Code::kResourceExhausted,
              "bolt " + path_ + ": would grow to " + std::to_string(bytes) + " bytes, at most " +
                  std::to_string(options_.max_size_bytes) + " are allowed");
}

Result<std::shared_ptr<Mapping>> Database::mapping_for(std::uint64_t high_water) {
  const std::uint64_t wanted = high_water * page_size_;
  if (wanted <= state_.map->size()) return state_.map;
  return map(wanted);
}

void Database::die(const std::string& what, const Error& error) {
  {
    std::lock_guard lock(mutex_);
    dead_ = true;
  }
  const std::string why = "bolt " + path_ + ": " + what + ": " + error.message;
  if (fatal_) fatal_(why);
  check_failed("write to a bolt file", __FILE__, __LINE__, why);
}

void Database::sync(const char* what) {
  if (options_.no_sync) return;
  if (auto synced = file_->sync_data(); !synced) die(what, synced.error());
  syncs_.fetch_add(1, std::memory_order_relaxed);
}

/// Extends the file ahead of need, so that most syncs don't have to store a new size.
void Database::grow(std::uint64_t bytes) {
  if (bytes <= file_bytes_) return;
  if (options_.no_grow_sync) {
    file_bytes_ = bytes;
    return;
  }
  const std::uint64_t mapped = map_size(std::max(bytes, options_.initial_mmap_size));
  std::uint64_t size = mapped <= kGrowStep ? mapped : bytes + kGrowStep;
  if (options_.max_size_bytes != 0) size = std::max(bytes, std::min(size, options_.max_size_bytes));
  if (auto grown = file_->truncate(size); !grown) die("extend", grown.error());
  if (!options_.no_sync) {
    if (auto synced = file_->sync(); !synced) die("sync the new size", synced.error());
    syncs_.fetch_add(1, std::memory_order_relaxed);
  }
  file_bytes_ = size;
}

void Database::write_pages(std::vector<DirtyPage>& pages) {
  std::sort(pages.begin(), pages.end(),
            [](const DirtyPage& a, const DirtyPage& b) { return a.id < b.id; });
  std::vector<ByteView> pieces;
  std::uint64_t start = 0, end = 0;
  const auto flush = [&] {
    if (pieces.empty()) return;
    if (auto written = file_->pwritev(pieces, start); !written) die("write pages", written.error());
    pieces.clear();
  };
  for (const DirtyPage& page : pages) {
    const std::uint64_t offset = page.id * page_size_;
    if (offset != end || pieces.size() == kMaxPieces) {
      flush();
      start = end = offset;
    }
    const bool adjacent =
        !pieces.empty() && pieces.back().data() + pieces.back().size() == page.bytes.data();
    if (adjacent) {
      pieces.back() = {pieces.back().data(), pieces.back().size() + page.bytes.size()};
    } else {
      pieces.push_back(page.bytes);
    }
    end += page.bytes.size();
    pages_written_.fetch_add(page.bytes.size() / page_size_, std::memory_order_relaxed);
  }
  flush();
}

void Database::write_meta(const Meta& next) {
  std::string page(page_size_, '\0');
  const int slot = static_cast<int>(next.txid % 2);
  encode_meta(next, slot, page.data());
  auto written = file_->pwrite(page, static_cast<std::uint64_t>(slot) * page_size_);
  if (!written) die("write a meta page", written.error());
}

void Database::write(std::vector<DirtyPage>& pages, const Meta& next) {
  grow(next.high_water * page_size_);
  write_pages(pages);
  sync("sync data pages");
  write_meta(next);
  sync("sync a meta page");
}

void Database::publish(const Meta& next, std::shared_ptr<Mapping> map) {
  commits_.fetch_add(1, std::memory_order_relaxed);
  std::lock_guard lock(mutex_);
  state_ = {next, static_cast<int>(next.txid % 2), std::move(map), file_bytes_ / page_size_};
  damaged_meta_ = false;
}

}  // namespace truss::bolt
