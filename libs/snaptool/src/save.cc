#include "truss/snaptool/save.h"

#include <optional>

#include "image_sink.h"

namespace truss::snaptool {
namespace {

/// *Errors:* kCorruption unless the last bytes are the SHA-256 of all before.
Result<snap::ImageHash> compare(ImageSink& sink, const std::string& from) {
  const std::string& said = sink.hasher().trailer();
  if (said.size() < snap::kImageHashBytes || !snap::has_image_hash(sink.bytes())) {
    return fail(Code::kCorruption, "snapshot of " + from + ": " + std::to_string(sink.bytes()) +
                                       " bytes came, which can't end with a SHA-256");
  }
  const snap::ImageHash own = sink.hasher().finish();
  if (ByteView(own.data(), own.size()) == said) return own;
  return fail(Code::kCorruption, "snapshot of " + from + ": the member says sha256 " +
                                     to_hex(said) + ", what came has " +
                                     to_hex({own.data(), own.size()}) +
                                     ": damaged on the way; save it again");
}

Result<Saved> save_once(FileSystem& fs, client::Client& member, const SaveOptions& options,
                        const Progress& progress) {
  const std::string part = options.path + ".part";
  TRUSS_ASSIGN(const auto sink,
               ImageSink::create(
                   fs, part, {.trailer_bytes = snap::kImageHashBytes, .threads = options.threads}));
  Saved out;
  std::uint64_t total = 0;
  auto streamed = member.snapshot([&](const client::Client::SnapshotPiece& piece) -> Result<> {
    if (total == 0) total = piece.bytes.size() + piece.remaining_bytes;
    if (out.version.empty()) out.version = piece.version;
    TRUSS_TRY(sink->write(piece.bytes));
    if (progress) progress(sink->bytes(), total);
    return {};
  });
  if (!streamed) return tl::unexpected(streamed.error());
  TRUSS_TRY(sink->finish());
  TRUSS_ASSIGN(out.hash, compare(*sink, options.from.address));
  out.image_bytes = sink->bytes() - snap::kImageHashBytes;
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
