#include <algorithm>

#include "database.h"
#include "truss/common/check.h"

namespace truss::bolt {

Database::Database(FileSystem& fs, std::string path, const Options& options, FatalHandler fatal)
    : fs_(fs), path_(std::move(path)), options_(options), fatal_(std::move(fatal)) {}

Database::~Database() {
  std::lock_guard lock(mutex_);
  TRUSS_CHECK(readers_.empty() && !writing_, "a bolt transaction outlives its database");
}

Result<std::unique_ptr<DB>> DB::open(FileSystem& fs, const std::string& path,
                                     const Options& options, FatalHandler fatal) {
  auto db = std::make_unique<Database>(fs, path, options, std::move(fatal));
  TRUSS_TRY(db->open());
  return db;
}

View Database::view_of(State state) const {
  View view;
  view.base = state.map->data();
  view.page_size = page_size_;
  view.page_limit =
      std::min({state.meta.high_water, state.file_pages, state.map->size() / page_size_});
  view.map = std::move(state.map);
  view.path = &path_;
  view.low_memory = options_.low_memory;
  return view;
}

Result<Tx> Database::begin_read() {
  State state;
  {
    std::lock_guard lock(mutex_);
    state = state_;
    const std::uint64_t txid = state.meta.txid;
    if (readers_.empty() || readers_.back().txid != txid) readers_.push_back({txid, 0});
    ++readers_.back().count;
  }
  const Meta meta = state.meta;
  const int slot = state.slot;
  return Tx(std::make_unique<Tx::Impl>(*this, meta, slot, view_of(std::move(state)), nullptr));
}

void Database::end_read(std::uint64_t txid) {
  std::lock_guard lock(mutex_);
  const auto it = std::find_if(readers_.rbegin(), readers_.rend(),
                               [&](const Reader& r) { return r.txid == txid; });
  TRUSS_CHECK(it != readers_.rend());
  if (--it->count == 0) readers_.erase(std::prev(it.base()));
}

std::vector<std::uint64_t> Database::readers() const {
  std::lock_guard lock(mutex_);
  std::vector<std::uint64_t> out;
  for (const Reader& reader : readers_) out.push_back(reader.txid);
  return out;
}

Result<> Database::take_turn() {
  if (options_.read_only) {
    return fail(Code::kFailedPrecondition, "bolt " + path_ + ": opened read-only");
  }
  std::unique_lock lock(mutex_);
  writer_left_.wait(lock, [&] { return !writing_; });
  if (dead_) return fail(Code::kFailedPrecondition, "bolt " + path_ + ": a write has failed");
  writing_ = true;
  return {};
}

void Database::prepare_writer() {
  writer_->objects.reset();
  writer_->bytes.reset();
  writer_->freelist.release(readers());
  count_pages();
}

Result<Tx> Database::begin_write() {
  TRUSS_TRY(take_turn());
  prepare_writer();
  return Tx(
      std::make_unique<Tx::Impl>(*this, state_.meta, state_.slot, view_of(state_), writer_.get()));
}

Result<> Database::rewrite_freelist() {
  TRUSS_TRY(take_turn());
  prepare_writer();
  Tx::Impl tx(*this, state_.meta, state_.slot, view_of(state_), writer_.get());
  tx.force = (state_.meta.freelist == kNoFreelist) != options_.no_freelist_sync;
  return tx.commit();
}

void Database::end_write() {
  count_pages();
  {
    std::lock_guard lock(mutex_);
    writing_ = false;
  }
  writer_left_.notify_one();
}

void Database::count_pages() {
  free_pages_.store(writer_->freelist.free_count(), std::memory_order_relaxed);
  pending_pages_.store(writer_->freelist.pending_count(), std::memory_order_relaxed);
}

Stats Database::stats() const {
  Stats out;
  out.free_pages = free_pages_.load(std::memory_order_relaxed);
  out.pending_pages = pending_pages_.load(std::memory_order_relaxed);
  out.commits = commits_.load(std::memory_order_relaxed);
  out.syncs = syncs_.load(std::memory_order_relaxed);
  out.pages_written = pages_written_.load(std::memory_order_relaxed);
  std::lock_guard lock(mutex_);
  for (const Reader& reader : readers_) out.open_readers += reader.count;
  out.size_bytes = state_.meta.high_water * page_size_;
  const std::uint64_t unused = (out.free_pages + out.pending_pages) * page_size_;
  out.in_use_bytes = out.size_bytes > unused ? out.size_bytes - unused : 0;
  out.damaged_meta = damaged_meta_;
  return out;
}

}  // namespace truss::bolt
