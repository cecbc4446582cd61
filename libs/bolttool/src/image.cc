#include "truss/bolttool/image.h"

#include <algorithm>

#include "truss/common/coding.h"

namespace truss::bolttool {
namespace {

constexpr std::uint64_t kHeadBytes = bolt::kMaxPageSize + bolt::kMetaBytes;

/// The page size at which the most pages name themselves, for a file without a sound meta page.
std::uint32_t guess_page_size(const char* base, std::uint64_t bytes) {
  std::uint32_t best = bolt::kDefaultPageSize;
  std::uint64_t most = 0;
  for (std::uint32_t size = bolt::kMinPageSize; size <= bolt::kMaxPageSize; size *= 2) {
    std::uint64_t named = 0;
    for (std::uint64_t id = bolt::kFirstDataPage; (id + 1) * size <= bytes; ++id) {
      named += load_le<std::uint64_t>(base + id * size) == id ? 1U : 0U;
    }
    if (named * size > most) {
      most = named * size;
      best = size;
    }
  }
  return best;
}

MetaPage read_meta(ByteView head, std::uint64_t offset) {
  if (offset + bolt::kMetaBytes > head.size()) return {std::nullopt, "the file is too short"};
  auto meta = bolt::decode_meta(head.substr(offset));
  if (!meta) return {std::nullopt, meta.error().message};
  return {*meta, {}};
}

}  // namespace

std::string db_path(FileSystem& fs, const std::string& path) {
  const auto info = fs.stat(path);
  if (!info || !info->directory) return path;
  for (const char* below : {"member/snap/db", "snap/db"}) {
    if (exists(fs, join_path(path, below))) return join_path(path, below);
  }
  return path;
}

Result<> Image::read_metas(const Options& options) {
  std::string head(std::min(file_bytes_, kHeadBytes), '\0');
  TRUSS_ASSIGN(const std::size_t read, file_->pread(head, 0));
  head.resize(read);
  auto choice = bolt::choose_meta(head, *path_);
  if (choice) {
    view_.page_size = choice->meta.page_size;
    slot_ = choice->slot;
  } else if (!options.pages_only) {
    return tl::unexpected(std::move(choice).error());
  } else {
    view_.page_size = options.page_size;
  }
  if (view_.page_size == 0) view_.page_size = guess_page_size(view_.base, file_bytes_);
  metas_[0] = read_meta(head, 0);
  metas_[1] = read_meta(head, view_.page_size);
  for (MetaPage& page : metas_) {
    if (!page.meta || page.meta->page_size == view_.page_size) continue;
    page = {std::nullopt, "its page size is " + std::to_string(page.meta->page_size)};
  }
  return {};
}

Result<> Image::choose(const Options& options) {
  if (options.slot >= 0) slot_ = options.slot;
  const MetaPage& page = metas_[static_cast<std::size_t>(slot_)];
  if (page.meta) {
    meta_ = *page.meta;
  } else if (!options.pages_only) {
    return fail(Code::kCorruption, "bolt " + *path_ + ": meta page " + std::to_string(slot_) +
                                       " at offset " + std::to_string(slot_ * view_.page_size) +
                                       ": " + page.fault);
  }
  const std::uint64_t limit = page.meta ? meta_.high_water : file_pages();
  view_.page_limit = std::min(limit, file_pages());
  return {};
}

Result<Image> Image::open(FileSystem& fs, const std::string& path, const Options& options) {
  Image image;
  image.path_ = std::make_unique<std::string>(db_path(fs, path));
  image.view_.path = image.path_.get();
  TRUSS_ASSIGN(image.file_, fs.open(*image.path_, {}));
  auto locked = image.file_->try_lock(LockKind::kFlock, false);
  if (!locked && locked.error().code != Code::kUnavailable) {
    return tl::unexpected(std::move(locked).error());
  }
  image.live_ = !locked;
  TRUSS_ASSIGN(image.file_bytes_, image.file_->size());
  TRUSS_ASSIGN(auto map, image.file_->map(std::max<std::uint64_t>(image.file_bytes_, 1), {}));
  image.view_.map = std::move(map);
  image.view_.base = image.view_.map->data();
  TRUSS_TRY(image.read_metas(options));
  TRUSS_TRY(image.choose(options));
  return image;
}

bool Image::moved_on() const {
  if (!live_) return false;
  for (std::size_t slot = 0; slot < 2; ++slot) {
    std::string page(bolt::kMetaBytes, '\0');
    const auto read = file_->pread(page, slot * view_.page_size);
    const auto now = bolt::decode_meta(page);
    if (!read || !now || now->txid > meta_.txid) return true;
  }
  return false;
}

}  // namespace truss::bolttool
