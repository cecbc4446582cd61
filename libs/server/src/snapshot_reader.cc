#include "snapshot_reader.h"

#include <algorithm>

#include "truss/schema/meta.h"

namespace truss::server {

Result<std::unique_ptr<FileSnapshotReader>> FileSnapshotReader::open(FileSystem& files,
                                                                     mvcc::Backend& backend) {
  TRUSS_ASSIGN(auto file, files.open(backend.path(), {}));
  TRUSS_ASSIGN(auto view, backend.snapshot());
  std::string head;
  const auto first = view.write_to([&](ByteView piece) -> Result<> {
    if (!head.empty()) return fail(Code::kCanceled, "enough");
    head = piece;
    return {};
  });
  if (!first && first.error().code != Code::kCanceled) return tl::unexpected(first.error());
  return std::unique_ptr<FileSnapshotReader>(
      new FileSnapshotReader(std::move(view), std::move(file), std::move(head)));
}

FileSnapshotReader::FileSnapshotReader(mvcc::Backend::Snapshot view, std::unique_ptr<File> file,
                                       std::string head)
    : view_(std::move(view)),
      file_(std::move(file)),
      head_(std::move(head)),
      size_(view_.size_bytes()) {}

Result<std::uint64_t> FileSnapshotReader::consistent_index() {
  TRUSS_ASSIGN(const schema::Meta meta, schema::read_meta(view_.tx()));
  return meta.consistent_index;
}

Result<std::string> FileSnapshotReader::read(std::size_t limit) {
  if (offset_ < head_.size()) {
    std::string piece = head_.substr(offset_, limit);
    offset_ += piece.size();
    return piece;
  }
  std::string piece(std::min<std::uint64_t>(limit, size_ - offset_), '\0');
  TRUSS_ASSIGN(const std::size_t got, file_->pread(piece, offset_));
  // The tail of the last pages may lie past the end of a sparse file: those bytes are zeros.
  std::fill(piece.begin() + static_cast<std::ptrdiff_t>(got), piece.end(), '\0');
  offset_ += piece.size();
  return piece;
}

}  // namespace truss::server
