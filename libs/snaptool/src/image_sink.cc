#include "image_sink.h"

#include <algorithm>
#include <cstring>

namespace truss::snaptool {

void TrailingHasher::update(ByteView bytes) {
  if (bytes.size() < trailer_bytes_) {
    trailer_ += bytes;
    if (trailer_.size() <= trailer_bytes_) return;
    const std::size_t surplus = trailer_.size() - trailer_bytes_;
    hasher_.update(ByteView(trailer_).substr(0, surplus));
    trailer_.erase(0, surplus);
    return;
  }
  hasher_.update(trailer_);
  hasher_.update(bytes.substr(0, bytes.size() - trailer_bytes_));
  trailer_ = bytes.substr(bytes.size() - trailer_bytes_);
}

Result<std::unique_ptr<ImageSink>> ImageSink::create(FileSystem& fs, const std::string& path,
                                                     const Options& options) {
  TRUSS_ASSIGN(auto file, fs.open(path, {.write = true,
                                         .create = true,
                                         .exclusive = options.exclusive,
                                         .truncate = !options.exclusive,
                                         .direct = true}));
  return std::unique_ptr<ImageSink>(new ImageSink(std::move(file), options));
}

ImageSink::ImageSink(std::unique_ptr<File> file, const Options& options)
    : options_(options), file_(std::move(file)), hasher_(options.trailer_bytes) {
  for (Block& block : blocks_) {
    block.data.reset(
        static_cast<char*>(::operator new(kBlockBytes, std::align_val_t(kDirectAlign))));
  }
  if (options_.threads <= 1) return;
  if (options_.hash) hash_thread_ = Thread("sha256", [this] { hash_all(); });
  write_thread_ = Thread("image-writer", [this] { write_all(); });
}

ImageSink::~ImageSink() { join(); }

void ImageSink::join() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    moved_.notify_all();
  }
  hash_thread_.join();
  write_thread_.join();
}

std::span<char> ImageSink::room() {
  std::unique_lock lock(mutex_);
  if (in_block_ == 0 && options_.threads > 1) {
    moved_.wait(lock, [&] {
      return filled_ < kBlocks + std::min(written_, options_.hash ? hashed_ : written_);
    });
  }
  return {blocks_[filled_ % kBlocks].data.get() + in_block_, kBlockBytes - in_block_};
}

Result<> ImageSink::advance(std::size_t bytes) {
  in_block_ += bytes;
  bytes_ += bytes;
  return in_block_ == kBlockBytes ? hand_over() : Result<>();
}

Result<> ImageSink::write(ByteView piece) {
  while (!piece.empty()) {
    const std::span<char> to = room();
    const std::size_t part = std::min(piece.size(), to.size());
    std::memcpy(to.data(), piece.data(), part);
    piece.remove_prefix(part);
    TRUSS_TRY(advance(part));
  }
  return {};
}

Result<> ImageSink::hand_over() {
  Block& block = blocks_[filled_ % kBlocks];
  block.bytes = std::exchange(in_block_, 0);
  if (options_.threads <= 1) {
    if (options_.hash) hash(block);
    return write_block(block, filled_++);
  }
  const std::lock_guard lock(mutex_);
  ++filled_;
  moved_.notify_all();
  return failure_ ? Result<>(tl::unexpected(*failure_)) : Result<>();
}

void ImageSink::hash(const Block& block) { hasher_.update({block.data.get(), block.bytes}); }

/// The last block is as long as direct writes must be; finish() cuts it.
Result<> ImageSink::write_block(Block& block, std::uint64_t number) {
  const std::size_t whole = (block.bytes + kDirectAlign - 1) / kDirectAlign * kDirectAlign;
  const std::uint64_t offset = number * kBlockBytes;
  // The hash may be reading the bytes before.
  std::memset(block.data.get() + block.bytes, 0, whole - block.bytes);
  TRUSS_TRY(file_->pwrite({block.data.get(), whole}, offset));
  return file_->begin_write_back(offset, whole);
}

ImageSink::Block* ImageSink::next_for(std::uint64_t& done) {
  std::unique_lock lock(mutex_);
  moved_.wait(lock, [&] { return filled_ > done || ended_; });
  return filled_ > done ? &blocks_[done % kBlocks] : nullptr;
}

void ImageSink::done_with(std::uint64_t& done) {
  const std::lock_guard lock(mutex_);
  ++done;
  moved_.notify_all();
}

void ImageSink::hash_all() {
  while (const Block* block = next_for(hashed_)) {
    hash(*block);
    done_with(hashed_);
  }
}

void ImageSink::write_all() {
  bool failed = false;
  while (Block* block = next_for(written_)) {
    if (!failed) {
      auto wrote = write_block(*block, written_);
      failed = !wrote;
      if (failed) {
        const std::lock_guard lock(mutex_);
        failure_ = std::move(wrote).error();
      }
    }
    done_with(written_);
  }
}

Result<> ImageSink::finish() {
  if (in_block_ > 0) TRUSS_TRY(hand_over());
  join();
  if (failure_) return tl::unexpected(*failure_);
  if (bytes_ % kDirectAlign != 0) TRUSS_TRY(file_->truncate(bytes_));
  return file_->sync();
}

}  // namespace truss::snaptool
