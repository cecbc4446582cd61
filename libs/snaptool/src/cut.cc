#include "truss/snaptool/cut.h"

#include "truss/schema/meta.h"
#include "truss/snaptool/records.h"

namespace truss::snaptool {
namespace {

constexpr std::uint64_t kTries = 10;

Result<Cut> copy(FileSystem& fs, DbFile& file, const CutOptions& options,
                 const Progress& progress) {
  TRUSS_TRY(check_pages(file));
  Cut out;
  TRUSS_ASSIGN(const schema::Meta meta, schema::read_meta(file.tx()));
  TRUSS_ASSIGN(const Revisions revisions, read_revisions(file.tx()));
  out.consistent_index = meta.consistent_index;
  out.revision = revisions.newest;
  TRUSS_ASSIGN(snap::ImageWriter writer, snap::ImageWriter::create(fs, options.path));
  MemorySparer memory(file.tx());
  std::uint64_t done = 0;
  const auto write = [&](ByteView piece) -> Result<> {
    done += piece.size();
    TRUSS_TRY(writer.append(piece));
    memory.touched(piece.size() / 8);  // neighbours: nothing is mapped around them in vain
    if (progress) progress(done, file.tx().size_bytes());
    return {};
  };
  TRUSS_TRY(file.tx().write_to(write));
  if (options.in_use) {
    TRUSS_ASSIGN(DbFile after, DbFile::open(fs, options.source, DbFile::Lock::kNone));
    if (after.tx().id() != file.tx().id()) {
      return fail(Code::kAborted, file.path() + ": changed while it was copied");
    }
  }
  TRUSS_ASSIGN(const snap::ImageInfo info, writer.finish());
  out.image_bytes = info.image_bytes;
  out.hash = info.hash;
  return out;
}

Result<Cut> cut_once(FileSystem& fs, const CutOptions& options, DbFile::Lock lock,
                     const Progress& progress) {
  TRUSS_ASSIGN(DbFile file, DbFile::open(fs, options.source, lock));
  auto out = copy(fs, file, options, progress);
  if (!out) (void)fs.remove(options.path + ".part");
  return out;
}

}  // namespace

Result<Cut> cut(FileSystem& fs, const CutOptions& options, const Progress& progress) {
  CutOptions calm = options;
  calm.in_use = false;
  auto out = cut_once(fs, calm, DbFile::Lock::kShared, progress);
  if (out || out.error().code != Code::kUnavailable || !options.in_use) return out;
  for (std::uint64_t i = 1; i <= kTries; ++i) {
    out = cut_once(fs, options, DbFile::Lock::kNone, progress);
    if (out) out->tries = i;
    // A commit that overtook the copy also shows as damage.
    if (out || (out.error().code != Code::kAborted && out.error().code != Code::kCorruption)) {
      return out;
    }
  }
  return fail(Code::kUnavailable, options.source + ": changed during each of " +
                                      std::to_string(kTries) +
                                      " tries to copy it; use `snapctl save` while a member "
                                      "serves it");
}

}  // namespace truss::snaptool
