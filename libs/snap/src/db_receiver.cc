#include "truss/snap/db_receiver.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "truss/common/check.h"
#include "truss/snap/snap_file.h"

namespace truss::snap {
namespace {

/// Where they have to go through the page cache, so much may be on its way to the device: what a
/// sync of another file has to wait for.
constexpr std::uint64_t kWindow = 16u << 20;

}  // namespace

Result<std::unique_ptr<DbReceiver>> DbReceiver::create(FileSystem& fs, std::string dir,
                                                       std::optional<std::uint64_t> expected_bytes,
                                                       std::size_t block_bytes) {
  TRUSS_CHECK(block_bytes > 0 && block_bytes % kDirectAlign == 0);
  for (std::uint64_t n = 1;; ++n) {
    std::string path = join_path(dir, "tmp" + std::to_string(n));
    auto file = fs.open(path, {.write = true, .create = true, .exclusive = true, .direct = true});
    if (!file && file.error().code == Code::kAlreadyExists) continue;
    if (!file) return tl::unexpected(std::move(file).error());
    std::unique_ptr<DbReceiver> receiver(new DbReceiver(
        fs, std::move(dir), std::move(path), *std::move(file), expected_bytes, block_bytes));
    if (expected_bytes) TRUSS_TRY(receiver->file_->allocate(*expected_bytes));
    return receiver;
  }
}

DbReceiver::DbReceiver(FileSystem& fs, std::string dir, std::string path,
                       std::unique_ptr<File> file, std::optional<std::uint64_t> expected_bytes,
                       std::size_t block_bytes)
    : fs_(fs),
      dir_(std::move(dir)),
      path_(std::move(path)),
      file_(std::move(file)),
      expected_bytes_(expected_bytes),
      block_bytes_(block_bytes),
      block_(static_cast<char*>(::operator new(block_bytes, std::align_val_t(kDirectAlign)))) {}

DbReceiver::~DbReceiver() {
  file_.reset();
  if (!path_.empty()) (void)fs_.remove(path_);
}

Result<> DbReceiver::write(ByteView piece) {
  if (expected_bytes_ && piece.size() > *expected_bytes_ - size_bytes()) {
    return fail(Code::kCorruption, path_ + ": the sender announced " +
                                       std::to_string(*expected_bytes_) +
                                       " bytes and sends more; the transfer is refused");
  }
  while (!piece.empty()) {
    const std::size_t part = std::min(piece.size(), block_bytes_ - filled_);
    std::memcpy(block_.get() + filled_, piece.data(), part);
    filled_ += part;
    piece.remove_prefix(part);
    if (filled_ == block_bytes_) TRUSS_TRY(write_block());
  }
  return {};
}

/// What is read as soon as the file is whole.
void DbReceiver::read_ahead(std::size_t length) {
  if (!watcher_) return file_->read_ahead(written_, length);
  for (const auto& range : watcher_->block(written_, {block_.get(), length})) {
    file_->read_ahead(range.offset, range.length);
  }
}

/// The last `padding` bytes of it are none of the database's.
Result<> DbReceiver::write_block(std::size_t padding) {
  TRUSS_TRY(file_->pwrite({block_.get(), filled_}, written_));
  TRUSS_TRY(file_->begin_write_back(written_, filled_));
  read_ahead(filled_ - padding);
  written_ += filled_;
  filled_ = 0;
  if (written_ - arrived_ <= kWindow) return {};
  TRUSS_TRY(file_->await_write_back(arrived_, written_ - kWindow - arrived_));
  arrived_ = written_ - kWindow;
  return {};
}

/// The last block, as long as direct writes must be, then cut.
Result<> DbReceiver::write_tail() {
  if (filled_ == 0) return {};
  const std::uint64_t size = size_bytes();
  const std::size_t whole = (filled_ + kDirectAlign - 1) / kDirectAlign * kDirectAlign;
  const std::size_t padding = whole - filled_;
  std::memset(block_.get() + filled_, 0, padding);
  filled_ = whole;
  TRUSS_TRY(write_block(padding));
  return written_ == size ? Result<>() : cut(size);
}

Result<> DbReceiver::cut(std::uint64_t size) {
  TRUSS_TRY(file_->truncate(size));
  written_ = size;
  return {};
}

Result<std::string> DbReceiver::finish(raft::Index index) {
  TRUSS_CHECK(!path_.empty(), "a database received is finished twice");
  const std::uint64_t size = size_bytes();
  if (size == 0 || (expected_bytes_ && size != *expected_bytes_)) {
    return fail(Code::kCorruption,
                path_ + ": the transfer ended after " + std::to_string(size) + " bytes" +
                    (expected_bytes_ ? " of " + std::to_string(*expected_bytes_) : "") +
                    "; the leader will send the snapshot again");
  }
  std::string name = join_path(dir_, snap_db_file_name(index));
  if (!exists(fs_, name)) {
    TRUSS_TRY(write_tail());
    TRUSS_TRY(file_->sync());
    TRUSS_TRY(fs_.rename(path_, name));
    path_.clear();
    if (watcher_) watcher_->whole(name);
  }
  // Also for a file that was there: whoever made it may not have come to this yet.
  TRUSS_TRY(fs_.sync_dir(dir_));
  if (!path_.empty()) (void)fs_.remove(std::exchange(path_, {}));
  return name;
}

}  // namespace truss::snap
