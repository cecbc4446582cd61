#include <algorithm>

#include "database.h"
#include "truss/bolt/freelist_page.h"
#include "truss/bolt/walk.h"
#include "truss/common/check.h"

namespace truss::bolt {

unsigned Database::walk_threads(const Meta& meta) const {
  constexpr std::uint64_t kWorthwhile = 4096;
  return meta.high_water < kWorthwhile ? 1 : std::max(1U, options_.walk_threads);
}

Result<> Database::open_file() {
  if (!options_.read_only) {
    auto info = fs_.stat(path_);
    if (!info && info.error().code != Code::kNotFound) return tl::unexpected(info.error());
    if (!info || info->size == 0) {
      TRUSS_ASSIGN(file_, create_file(fs_, path_, options_));
      if (file_) return {};
    }
  }
  TRUSS_ASSIGN(file_, fs_.open(path_, {.write = !options_.read_only}));
  return lock_file(*file_, path_, !options_.read_only);
}

Result<> Database::load_state() {
  TRUSS_ASSIGN(file_bytes_, file_->size());
  std::string head(std::min<std::uint64_t>(file_bytes_, kMaxPageSize + kMetaBytes), '\0');
  TRUSS_ASSIGN(const std::size_t read, file_->pread(head, 0));
  head.resize(read);
  TRUSS_ASSIGN(const MetaChoice choice, choose_meta(head, path_));
  page_size_ = choice.meta.page_size;
  damaged_meta_ = !choice.other_valid;
  const std::uint64_t file_pages = file_bytes_ / page_size_;
  if (!options_.read_only && file_pages < choice.meta.high_water) {
    return fail(Code::kCorruption, "bolt " + path_ + ": file of " + std::to_string(file_bytes_) +
                                       " bytes is cut off: its last page, " +
                                       std::to_string(choice.meta.high_water - 1) +
                                       ", ends at offset " +
                                       std::to_string(choice.meta.high_water * page_size_));
  }
  TRUSS_ASSIGN(auto mapping, map(std::min(file_pages, choice.meta.high_water) * page_size_));
  state_ = {choice.meta, choice.slot, std::move(mapping), file_pages};
  return {};
}

Result<> Database::load_freelist(const View& view) {
  Freelist& list = writer_->freelist;
  if (state_.meta.freelist == kNoFreelist) {
    const auto load_gaps = [&](const PageSet& used) {
      used.for_each_gap(kFirstDataPage, state_.meta.high_water, [&](Run run) {
        if (list.load(run)) return;
        check_failed("gap loads", __FILE__, __LINE__);
      });
    };
    if (const PageSet* known = options_.reachable;
        known != nullptr && known->limit() == view.page_limit) {
      load_gaps(*known);
      return {};
    }
    TRUSS_ASSIGN(const PageSet used, reachable_pages(view, state_.meta, walk_threads(state_.meta),
                                                     options_.known_leaves));
    load_gaps(used);
    return {};
  }
  TRUSS_ASSIGN(const StoredFreelist stored, read_freelist(view, state_.meta.freelist));
  for (const std::uint64_t id : stored.ids) {
    const bool own = id >= stored.pages.first && id < stored.pages.first + stored.pages.count;
    if (!own && list.load({id, 1})) continue;
    return fail(Code::kCorruption, "bolt " + path_ + ": freelist on page " +
                                       std::to_string(stored.pages.first) + " lists page " +
                                       std::to_string(id) +
                                       ", which is out of range, listed twice or its own");
  }
  return {};
}

/// A file without a list of free pages gets one at once if it is to be kept in the file.
Result<> Database::store_missing_freelist() {
  if (options_.no_freelist_sync || state_.meta.freelist != kNoFreelist) return {};
  writing_ = true;
  Tx::Impl tx(*this, state_.meta, state_.slot, view_of(state_), writer_.get());
  tx.force = true;
  return tx.commit();
}

Result<> Database::open() {
  if (options_.page_size != 0 && !valid_page_size(options_.page_size)) {
    return fail(Code::kInvalidArgument, "bolt " + path_ + ": page size " +
                                            std::to_string(options_.page_size) +
                                            " is not a power of two in [1024, 65536]");
  }
  TRUSS_TRY(open_file());
  TRUSS_TRY(load_state());
  if (options_.read_only) return {};
  writer_ = std::make_unique<Writer>(options_.freelist_type, state_.meta.high_water);
  TRUSS_TRY(load_freelist(view_of(state_)));
  count_pages();
  return store_missing_freelist();
}

}  // namespace truss::bolt
