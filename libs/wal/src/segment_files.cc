#include "segment_files.h"

#include <cstring>

namespace truss::wal {
namespace {

constexpr std::size_t kChunkBytes = 1 << 20;

bool all_zero(ByteView bytes) {
  return bytes.empty() ||
         (bytes[0] == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

/// Calls `visit(offset, bytes)` for each chunk from `from` to the end of the file.
template <class Visit>
Result<> for_each_chunk(File& file, std::uint64_t from, Visit visit) {
  std::vector<char> chunk(kChunkBytes);
  for (std::uint64_t offset = from;;) {
    TRUSS_ASSIGN(const std::size_t got, file.pread(chunk, offset));
    if (got == 0) return {};
    TRUSS_TRY(visit(offset, ByteView(chunk.data(), got)));
    offset += got;
  }
}

}  // namespace

Result<std::vector<HeldSegment>> open_segments(FileSystem& fs, const std::string& dir,
                                               const std::vector<SegmentName>& names,
                                               Access access) {
  std::vector<HeldSegment> held;
  const bool write = access == Access::kWriteLocked;
  for (const SegmentName& name : names) {
    std::string path = join_path(dir, name.file_name());
    TRUSS_ASSIGN(auto file, fs.open(path, {.write = write}));
    if (write) {
      if (auto locked = file->try_lock(LockKind::kOfd, true); !locked) {
        return fail("wal " + path, std::move(locked).error());
      }
    }
    held.push_back({name, std::move(path), std::move(file)});
  }
  return held;
}

std::vector<SegmentSource> sources(const std::vector<HeldSegment>& held) {
  std::vector<SegmentSource> out;
  for (const HeldSegment& segment : held) out.push_back({segment.path, segment.file.get()});
  return out;
}

Result<std::uint64_t> end_of_non_zero(File& file, std::uint64_t from) {
  std::uint64_t end = from;
  TRUSS_TRY(for_each_chunk(file, from, [&](std::uint64_t offset, ByteView bytes) -> Result<> {
    if (!all_zero(bytes)) end = offset + bytes.find_last_not_of('\0') + 1;
    return {};
  }));
  return end;
}

Result<> copy_sparse(FileSystem& fs, File& from, const std::string& to) {
  TRUSS_ASSIGN(const auto out,
               fs.open(to, {.write = true, .create = true, .truncate = true, .mode = 0600}));
  std::uint64_t end = 0;
  TRUSS_TRY(for_each_chunk(from, 0, [&](std::uint64_t offset, ByteView bytes) -> Result<> {
    end = offset + bytes.size();
    return all_zero(bytes) ? Result<>() : out->pwrite(bytes, offset);
  }));
  TRUSS_TRY(out->truncate(end));
  return out->sync();
}

}  // namespace truss::wal
