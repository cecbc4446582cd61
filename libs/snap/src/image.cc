#include "truss/snap/image.h"

#include <openssl/evp.h>

#include <algorithm>
#include <vector>

#include "truss/common/check.h"

namespace truss::snap {
namespace {

constexpr std::size_t kChunkBytes = 1 << 20;

}  // namespace

struct ImageHasher::Impl {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(),
                                                                  &EVP_MD_CTX_free};
};

ImageHasher::ImageHasher() : impl_(std::make_unique<Impl>()) {
  TRUSS_CHECK(EVP_DigestInit_ex(impl_->context.get(), EVP_sha256(), nullptr) == 1);
}
ImageHasher::~ImageHasher() = default;
ImageHasher::ImageHasher(ImageHasher&&) noexcept = default;
ImageHasher& ImageHasher::operator=(ImageHasher&&) noexcept = default;

void ImageHasher::update(ByteView bytes) {
  TRUSS_CHECK(EVP_DigestUpdate(impl_->context.get(), bytes.data(), bytes.size()) == 1);
}

ImageHash ImageHasher::finish() {
  unsigned char digest[kImageHashBytes];
  TRUSS_CHECK(EVP_DigestFinal_ex(impl_->context.get(), digest, nullptr) == 1);
  ImageHash hash;
  std::copy(std::begin(digest), std::end(digest), hash.begin());
  return hash;
}

Result<ImageInfo> verify_image(FileSystem& fs, const std::string& path,
                               const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  TRUSS_ASSIGN(const auto file, fs.open(path, {}));
  TRUSS_ASSIGN(const std::uint64_t size, file->size());
  ImageInfo info;
  info.hashed = has_image_hash(size);
  info.image_bytes = info.hashed ? size - kImageHashBytes : size;
  if (!info.hashed) return info;

  ImageHasher hasher;
  std::vector<char> chunk(kChunkBytes);
  for (std::uint64_t offset = 0; offset < info.image_bytes;) {
    const std::uint64_t wanted = std::min<std::uint64_t>(chunk.size(), info.image_bytes - offset);
    TRUSS_ASSIGN(const std::size_t got, file->pread({chunk.data(), wanted}, offset));
    if (got == 0) return fail(Code::kCorruption, path + ": the file shrank while being read");
    hasher.update({chunk.data(), got});
    offset += got;
    if (progress) progress(offset, info.image_bytes);
  }
  TRUSS_ASSIGN(const std::size_t got, file->pread(info.hash, info.image_bytes));
  const ImageHash own = hasher.finish();
  if (got == kImageHashBytes && own == info.hash) return info;
  return fail(Code::kCorruption, path + ": expected sha256 " +
                                     to_hex({info.hash.data(), info.hash.size()}) + ", got " +
                                     to_hex({own.data(), own.size()}) +
                                     "; the snapshot is damaged: take it from another copy");
}

ImageWriter::ImageWriter(FileSystem& fs, std::string path, std::unique_ptr<File> file)
    : fs_(&fs), path_(std::move(path)), file_(std::move(file)) {}

Result<ImageWriter> ImageWriter::create(FileSystem& fs, std::string path) {
  TRUSS_ASSIGN(auto file,
               fs.open(path + ".part", {.write = true, .create = true, .truncate = true}));
  return ImageWriter(fs, std::move(path), std::move(file));
}

Result<> ImageWriter::append(ByteView bytes) {
  hasher_.update(bytes);
  TRUSS_TRY(file_->pwrite(bytes, offset_));
  offset_ += bytes.size();
  return {};
}

Result<ImageInfo> ImageWriter::finish() {
  const ImageInfo info{.image_bytes = offset_, .hashed = true, .hash = hasher_.finish()};
  TRUSS_TRY(file_->pwrite({info.hash.data(), info.hash.size()}, offset_));
  TRUSS_TRY(file_->sync());
  TRUSS_TRY(fs_->rename(path_ + ".part", path_));
  TRUSS_TRY(fs_->sync_dir(parent_path(path_)));
  return info;
}

}  // namespace truss::snap
