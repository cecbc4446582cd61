#include "database.h"

namespace truss::bolt {
namespace {

constexpr std::uint64_t kNewPages = 4;  // two meta pages, an empty freelist, an empty leaf

std::string new_image(std::uint32_t page_size) {
  std::string image(kNewPages * page_size, '\0');
  Meta meta{.page_size = page_size, .root = 3, .freelist = 2, .high_water = kNewPages};
  for (int page = 0; page < 2; ++page) {
    meta.txid = static_cast<std::uint64_t>(page);
    encode_meta(meta, page, image.data() + static_cast<std::uint64_t>(page) * page_size);
  }
  const auto header = [&](std::uint64_t page, std::uint16_t flags) {
    store_le(image.data() + page * page_size, page);
    store_le(image.data() + page * page_size + 8, flags);
  };
  header(2, kFreelistFlag);
  header(3, kLeafFlag);
  return image;
}

/// True if nothing, or an empty file, is at `path`.
Result<bool> vacant(FileSystem& fs, const std::string& path) {
  auto info = fs.stat(path);
  if (info) return !info->directory && info->size == 0;
  if (info.error().code == Code::kNotFound) return true;
  return tl::unexpected(std::move(info).error());
}

}  // namespace

Result<> lock_file(File& file, const std::string& path, bool exclusive) {
  auto locked = file.try_lock(LockKind::kFlock, exclusive);
  if (locked || locked.error().code != Code::kUnavailable) return locked;
  return fail("bolt " + path + ": held by another process", std::move(locked).error());
}

Result<std::unique_ptr<File>> create_file(FileSystem& fs, const std::string& path,
                                          const Options& options) {
  const std::uint32_t page_size = options.page_size == 0 ? kDefaultPageSize : options.page_size;
  const std::string temporary = path + ".tmp";
  TRUSS_ASSIGN(auto file,
               fs.open(temporary, {.write = true, .create = true, .mode = options.mode}));
  TRUSS_TRY(lock_file(*file, temporary, true));
  // Somebody else may have finished the same work before we got the lock.
  TRUSS_ASSIGN(const bool still_vacant, vacant(fs, path));
  if (!still_vacant) {
    TRUSS_TRY(fs.remove(temporary));
    return nullptr;
  }
  TRUSS_TRY(file->truncate(0));
  TRUSS_TRY(file->pwrite(new_image(page_size), 0));
  TRUSS_TRY(file->sync());
  TRUSS_TRY(fs.rename(temporary, path));
  TRUSS_TRY(fs.sync_dir(parent_path(path)));
  return file;
}

}  // namespace truss::bolt
