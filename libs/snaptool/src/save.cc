#include "truss/snaptool/save.h"

#include <optional>

namespace truss::snaptool {
namespace {

/// Takes the pieces of a stream, keeps the last 32 bytes back, and writes and hashes the rest.
class Receiver {
 public:
  static Result<Receiver> create(FileSystem& fs, const std::string& path) {
    TRUSS_ASSIGN(auto file, fs.open(path, {.write = true, .create = true, .truncate = true}));
    return Receiver(std::move(file));
  }

  Result<> take(ByteView piece) {
    if (piece.size() >= snap::kImageHashBytes) {
      TRUSS_TRY(append(tail_));
      TRUSS_TRY(append(piece.substr(0, piece.size() - snap::kImageHashBytes)));
      tail_ = piece.substr(piece.size() - snap::kImageHashBytes);
      return {};
    }
    tail_ += piece;
    if (tail_.size() <= snap::kImageHashBytes) return {};
    const std::size_t surplus = tail_.size() - snap::kImageHashBytes;
    TRUSS_TRY(append(ByteView(tail_).substr(0, surplus)));
    tail_.erase(0, surplus);
    return {};
  }

  /// *Errors:* kCorruption unless the last bytes are the SHA-256 of all before.
  Result<snap::ImageHash> finish(const std::string& from) {
    if (tail_.size() < snap::kImageHashBytes || !snap::has_image_hash(bytes_ + tail_.size())) {
      return fail(Code::kCorruption, "snapshot of " + from + ": " +
                                         std::to_string(bytes_ + tail_.size()) +
                                         " bytes came, which can't end with a SHA-256");
    }
    const snap::ImageHash own = hasher_.finish();
    if (ByteView(own.data(), own.size()) != tail_) {
      return fail(Code::kCorruption, "snapshot of " + from + ": the member says sha256 " +
                                         to_hex(tail_) + ", what came has " +
                                         to_hex({own.data(), own.size()}) +
                                         ": damaged on the way; save it again");
    }
    TRUSS_TRY(file_->pwrite(tail_, bytes_));
    TRUSS_TRY(file_->sync());
    return own;
  }
  std::uint64_t bytes() const { return bytes_; }

 private:
  explicit Receiver(std::unique_ptr<File> file) : file_(std::move(file)) {}

  Result<> append(ByteView bytes) {
    hasher_.update(bytes);
    TRUSS_TRY(file_->pwrite(bytes, bytes_));
    bytes_ += bytes.size();
    return {};
  }

  std::unique_ptr<File> file_;
  snap::ImageHasher hasher_;
  std::string tail_;
  std::uint64_t bytes_ = 0;
};

Result<Saved> save_once(FileSystem& fs, client::Client& member, const SaveOptions& options,
                        const Progress& progress) {
  const std::string part = options.path + ".part";
  TRUSS_ASSIGN(Receiver receiver, Receiver::create(fs, part));
  Saved out;
  std::uint64_t total = 0;
  auto streamed = member.snapshot([&](const client::Client::SnapshotPiece& piece) -> Result<> {
    if (total == 0) total = piece.bytes.size() + piece.remaining_bytes;
    if (out.version.empty()) out.version = piece.version;
    TRUSS_TRY(receiver.take(piece.bytes));
    if (progress) progress(receiver.bytes(), total);
    return {};
  });
  if (!streamed) return tl::unexpected(streamed.error());
  TRUSS_ASSIGN(out.hash, receiver.finish(options.from.address));
  out.image_bytes = receiver.bytes();
  TRUSS_TRY(fs.rename(part, options.path));
  TRUSS_TRY(fs.sync_dir(parent_path(options.path)));
  return out;
}

/// What another try may help against: the member went away, or the stream broke.
bool passing(const Error& error) {
  return error.code == Code::kUnavailable || error.code == Code::kInternal ||
         error.code == Code::kDeadlineExceeded || error.code == Code::kCorruption;
}

}  // namespace

Result<Saved> save(FileSystem& fs, Clock& clock, const SaveOptions& options,
                   const Progress& progress) {
  TRUSS_ASSIGN(const auto member, connect(clock, options.from));
  for (std::uint64_t broken = 0;; ++broken) {
    auto saved = save_once(fs, *member, options, progress);
    if (saved) {
      saved->broken = broken;
      return saved;
    }
    (void)fs.remove(options.path + ".part");
    if (broken == options.retries || !passing(saved.error())) return saved;
  }
}

}  // namespace truss::snaptool
