#include "truss/bolttool/replace.h"

namespace truss::bolttool {

Replacement::Replacement(FileSystem& fs, std::string target)
    : fs_(&fs), target_(std::move(target)), temporary_(target_ + ".boltctl-tmp") {}

Result<Replacement> Replacement::begin(FileSystem& fs, const std::string& target) {
  Replacement out(fs, target);
  TRUSS_ASSIGN(auto file, fs.open(out.temporary_, {.write = true, .create = true}));
  if (auto locked = file->try_lock(LockKind::kFlock, true); !locked) {
    return fail(out.temporary_ + ": in use", std::move(locked).error());
  }
  TRUSS_TRY(file->truncate(0));
  out.file_ = std::move(file);
  return out;
}

Replacement::~Replacement() {
  if (file_) static_cast<void>(fs_->remove(temporary_));
}

Result<> Replacement::lend(const std::function<Result<>(const std::string&)>& borrower) {
  file_.reset();
  Result<> done = borrower(temporary_);
  auto file = fs_->open(temporary_, {.write = true});
  if (!file) {
    static_cast<void>(fs_->remove(temporary_));
    return tl::unexpected(done ? std::move(file).error() : std::move(done).error());
  }
  file_ = *std::move(file);
  return done;
}

Result<> Replacement::commit(const std::string& like, const KeepOwner& keep_owner) {
  if (keep_owner) TRUSS_TRY(keep_owner(like, temporary_));
  TRUSS_TRY(file_->sync());
  TRUSS_TRY(fs_->rename(temporary_, target_));
  file_.reset();
  return fs_->sync_dir(parent_path(target_));
}

Result<> copy_file(FileSystem& fs, const std::string& from, File& to) {
  constexpr std::size_t kPiece = 1 << 20;
  TRUSS_ASSIGN(auto source, fs.open(from, {}));
  std::string piece(kPiece, '\0');
  for (std::uint64_t at = 0;;) {
    TRUSS_ASSIGN(const std::size_t read, source->pread(piece, at));
    if (read == 0) return {};
    TRUSS_TRY(to.pwrite(ByteView(piece).substr(0, read), at));
    at += read;
  }
}

}  // namespace truss::bolttool
