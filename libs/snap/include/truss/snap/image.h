#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "truss/common/bytes.h"
#include "truss/common/error.h"
#include "truss/common/file_system.h"

/// A v3 snapshot file (`etcdctl snapshot save`): the bytes of a bolt image, then the SHA-256 of
/// them. Whether there is a hash is told by the size alone: 32 beyond a multiple of 512. *Source:*
/// etcd clientv3/snapshot/v3_snapshot.go, etcdserver/api/v3rpc/maintenance.go.
namespace truss::snap {

inline constexpr std::uint64_t kImageHashBytes = 32;
using ImageHash = std::array<char, kImageHashBytes>;

/// Hashes an image as it streams by; the result is the trailer. *Thread:* one.
class ImageHasher {
 public:
  ImageHasher();
  ~ImageHasher();
  ImageHasher(ImageHasher&&) noexcept;
  ImageHasher& operator=(ImageHasher&&) noexcept;
  void update(ByteView bytes);
  /// The SHA-256 of all updates. Once.
  ImageHash finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// True if a file of that size carries a hash.
constexpr bool has_image_hash(std::uint64_t file_bytes) { return file_bytes % 512 == 32; }

struct ImageInfo {
  std::uint64_t image_bytes = 0;  ///< without the trailer
  bool hashed = false;            ///< a trailer is there, and right
  ImageHash hash{};               ///< the trailer, if any
};

/// Reads the whole file and checks its trailer. `progress`, if any, is told the bytes read and
/// those to be read in all.
/// *Errors:* kCorruption if hash and image disagree; I/O.
Result<ImageInfo> verify_image(
    FileSystem& fs, const std::string& path,
    const std::function<void(std::uint64_t done, std::uint64_t total)>& progress = {});

/// Writes a snapshot file: `PATH.part`, then on finish() trailer, fsync, rename, directory sync.
/// Dropped before finish(), it leaves the `.part` file.
class ImageWriter {
 public:
  static Result<ImageWriter> create(FileSystem& fs, std::string path);
  Result<> append(ByteView bytes);
  /// *Durability:* the file is on disk under its name.
  Result<ImageInfo> finish();

 private:
  ImageWriter(FileSystem& fs, std::string path, std::unique_ptr<File> file);

  FileSystem* fs_;
  std::string path_;
  std::unique_ptr<File> file_;
  ImageHasher hasher_;
  std::uint64_t offset_ = 0;
};

}  // namespace truss::snap
