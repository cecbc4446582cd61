#include "truss/wal/segment.h"
#include "truss/wal/wal.h"
#include "wal_impl.h"

namespace truss::wal {
namespace {

/// The records that every log begins with.
FrameBuffer first_records(ByteView metadata) {
  FrameBuffer frames;
  frames.add_crc();
  frames.add(RecordType::kMetadata, metadata);
  frames.add(RecordType::kSnapshot, encode_snapshot_record({}));
  return frames;
}

/// Makes the locked, preallocated first segment with its records in `dir`.
Result<std::unique_ptr<File>> make_first_segment(FileSystem& fs, const std::string& path,
                                                 const Options& options, FrameBuffer& frames) {
  TRUSS_ASSIGN(auto file,
               fs.open(path, {.write = true, .create = true, .exclusive = true, .mode = 0600}));
  TRUSS_TRY(file->try_lock(LockKind::kOfd, true));
  TRUSS_TRY(file->allocate(options.segment_bytes));
  TRUSS_TRY(frames.write_to(*file, 0));
  if (options.sync) TRUSS_TRY(file->sync_data());
  return file;
}

/// The first of `dir.broken.1`, `dir.broken.2` … that is free.
std::string broken_name(FileSystem& fs, const std::string& dir) {
  for (int n = 1;; ++n) {
    std::string name = dir + ".broken." + std::to_string(n);
    if (!exists(fs, name)) return name;
  }
}

/// Puts the finished directory in its place. A directory whose name may not be on disk must not
/// look like a log.
Result<> publish(FileSystem& fs, const std::string& from, const std::string& dir, bool sync) {
  TRUSS_TRY(remove_all(fs, dir));
  TRUSS_TRY(fs.rename(from, dir));
  if (!sync) return {};
  auto synced = fs.sync_dir(parent_path(dir));
  if (!synced) static_cast<void>(fs.rename(dir, broken_name(fs, dir)));
  return synced;
}

}  // namespace

Result<std::unique_ptr<Wal>> Wal::create(FileSystem& fs, Process& process, std::string dir,
                                         ByteView metadata, const Options& options) {
  while (dir.size() > 1 && dir.back() == '/') dir.pop_back();
  if (has_wal(fs, dir))
    return fail(Code::kAlreadyExists, "wal " + dir + ": there is a log already");
  const std::string temporary = dir + ".tmp";
  TRUSS_TRY(remove_all(fs, temporary));
  TRUSS_TRY(fs.make_dir(temporary, 0700));

  FrameBuffer frames = first_records(metadata);
  const std::uint64_t bytes = frames.bytes();
  const SegmentName name;
  TRUSS_ASSIGN(auto file,
               make_first_segment(fs, join_path(temporary, name.file_name()), options, frames));
  if (options.sync) TRUSS_TRY(fs.sync_dir(temporary));
  TRUSS_TRY(publish(fs, temporary, dir, options.sync));

  auto impl = std::make_unique<Impl>(fs, process, dir, options);
  impl->held.push_back({name, join_path(dir, name.file_name()), std::move(file)});
  impl->metadata = metadata;
  impl->frames = std::move(frames);
  impl->offset = impl->bytes_written = bytes;
  impl->syncs = options.sync ? 1 : 0;
  impl->next.prepare();
  return std::unique_ptr<Wal>(new Wal(std::move(impl)));
}

}  // namespace truss::wal
