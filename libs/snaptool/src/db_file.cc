#include "truss/snaptool/db_file.h"

#include <optional>

#include "truss/snap/image.h"
#include "truss/tool/unlocked_files.h"

namespace truss::snaptool {
namespace {

// Trailer and pages are checked by reading; a file that can't even be opened is said to be cut off
// when its size shows it.
constexpr std::uint32_t kSectorBytes = 512;

}  // namespace

struct DbFile::Impl {
  std::unique_ptr<tool::UnlockedFiles> unlocked;
  std::unique_ptr<bolt::DB> db;
  std::optional<bolt::Tx> tx;  // ends before the db
  std::uint64_t file_bytes = 0;
};

DbFile::DbFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DbFile::~DbFile() = default;
DbFile::DbFile(DbFile&&) noexcept = default;
DbFile& DbFile::operator=(DbFile&&) noexcept = default;

Result<std::string> db_path_of(FileSystem& fs, const std::string& path) {
  TRUSS_ASSIGN(const FileInfo info, fs.stat(path));
  if (!info.directory) return path;
  std::string db = join_path(path, "member/snap/db");
  if (exists(fs, db)) return db;
  return fail(Code::kNotFound, path + ": is a directory, but not a data directory: no " + db);
}

Result<bool> carries_hash(const std::string& path, std::uint64_t file_bytes,
                          std::uint32_t page_size) {
  const bool hashed = snap::has_image_hash(file_bytes);
  const std::uint64_t image = hashed ? file_bytes - snap::kImageHashBytes : file_bytes;
  if (image % page_size == 0) return hashed;
  return fail(Code::kCorruption,
              path + ": " + std::to_string(file_bytes) + " bytes are neither whole pages of " +
                  std::to_string(page_size) + " nor such with a SHA-256 behind them (" +
                  std::to_string(file_bytes % kSectorBytes) +
                  " bytes over a sector): the file was cut off or appended to");
}

Result<DbFile> DbFile::open(FileSystem& fs, const std::string& path, Lock lock) {
  auto impl = std::make_unique<Impl>();
  TRUSS_ASSIGN(const std::string db_path, db_path_of(fs, path));
  FileSystem* files = &fs;
  if (lock == Lock::kNone) {
    impl->unlocked = std::make_unique<tool::UnlockedFiles>(fs);
    files = impl->unlocked.get();
  }
  TRUSS_ASSIGN(const FileInfo info, fs.stat(db_path));
  impl->file_bytes = info.size;
  TRUSS_ASSIGN(impl->db, bolt::DB::open(*files, db_path, {.read_only = true, .low_memory = true}));
  TRUSS_ASSIGN(impl->tx, impl->db->begin_read());
  return DbFile(std::move(impl));
}

const std::string& DbFile::path() const { return impl_->db->path(); }
std::uint64_t DbFile::file_bytes() const { return impl_->file_bytes; }
bolt::DB& DbFile::db() { return *impl_->db; }
bolt::Tx& DbFile::tx() { return *impl_->tx; }

Result<> check_trailer(FileSystem& fs, const std::string& path, bool required,
                       const Progress& progress) {
  TRUSS_ASSIGN(const snap::ImageInfo info, snap::verify_image(fs, path, progress));
  if (info.hashed || !required) return {};
  return fail(Code::kCorruption,
              path +
                  ": no SHA-256 behind the image, so nothing proves that it is whole: it was cut "
                  "off, or is a plain db file (then pass --skip-hash-check)");
}

Result<> check_pages(DbFile& file) {
  std::string first;
  TRUSS_ASSIGN(const std::uint64_t faults, file.db().check([&](const std::string& fault) {
    if (first.empty()) first = fault;
  }));
  if (faults == 0) return {};
  return fail(Code::kCorruption,
              first + (faults > 1 ? " (and " + std::to_string(faults - 1) + " more faults)" : ""));
}

}  // namespace truss::snaptool
