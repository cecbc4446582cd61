#include "truss/snap/db_receiver.h"

#include <utility>

#include "truss/common/check.h"
#include "truss/snap/snap_file.h"

namespace truss::snap {

Result<std::unique_ptr<DbReceiver>> DbReceiver::create(
    FileSystem& fs, std::string dir, std::optional<std::uint64_t> expected_bytes) {
  for (std::uint64_t n = 1;; ++n) {
    std::string path = join_path(dir, "tmp" + std::to_string(n));
    auto file = fs.open(path, {.write = true, .create = true, .exclusive = true});
    if (!file && file.error().code == Code::kAlreadyExists) continue;
    if (!file) return tl::unexpected(std::move(file).error());
    std::unique_ptr<DbReceiver> receiver(
        new DbReceiver(fs, std::move(dir), std::move(path), *std::move(file), expected_bytes));
    if (expected_bytes) TRUSS_TRY(receiver->file_->allocate(*expected_bytes));
    return receiver;
  }
}

DbReceiver::DbReceiver(FileSystem& fs, std::string dir, std::string path,
                       std::unique_ptr<File> file, std::optional<std::uint64_t> expected_bytes)
    : fs_(fs),
      dir_(std::move(dir)),
      path_(std::move(path)),
      file_(std::move(file)),
      expected_bytes_(expected_bytes) {}

DbReceiver::~DbReceiver() {
  file_.reset();
  if (!path_.empty()) (void)fs_.remove(path_);
}

Result<> DbReceiver::write(ByteView piece) {
  if (expected_bytes_ && piece.size() > *expected_bytes_ - offset_) {
    return fail(Code::kCorruption, path_ + ": the sender announced " +
                                       std::to_string(*expected_bytes_) +
                                       " bytes and sends more; the transfer is refused");
  }
  TRUSS_TRY(file_->pwrite(piece, offset_));
  offset_ += piece.size();
  return {};
}

Result<std::string> DbReceiver::finish(raft::Index index) {
  TRUSS_CHECK(!path_.empty(), "a database received is finished twice");
  if (offset_ == 0 || (expected_bytes_ && offset_ != *expected_bytes_)) {
    return fail(Code::kCorruption,
                path_ + ": the transfer ended after " + std::to_string(offset_) + " bytes" +
                    (expected_bytes_ ? " of " + std::to_string(*expected_bytes_) : "") +
                    "; the leader will send the snapshot again");
  }
  std::string name = join_path(dir_, snap_db_file_name(index));
  if (!exists(fs_, name)) {
    TRUSS_TRY(file_->sync());
    TRUSS_TRY(fs_.rename(path_, name));
    path_.clear();
  }
  // Also for a file that was there: whoever made it may not have come to this yet.
  TRUSS_TRY(fs_.sync_dir(dir_));
  if (!path_.empty()) (void)fs_.remove(std::exchange(path_, {}));
  return name;
}

}  // namespace truss::snap
