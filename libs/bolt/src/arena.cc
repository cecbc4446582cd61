#include "arena.h"

#include <algorithm>
#include <cstring>

namespace truss::bolt {
namespace {

constexpr std::size_t kFirstChunk = 32 * 1024;
constexpr std::size_t kLargestChunk = 1024 * 1024;
constexpr std::size_t kKeptChunks = 20;  // about 15 MiB

}  // namespace

ByteView Arena::copy(ByteView source) {
  if (source.empty()) return {};
  char* p = bytes(source.size());
  if (!source.empty()) std::memcpy(p, source.data(), source.size());
  return {p, source.size()};
}

char* Arena::refill(std::size_t size) {
  // Room for the padding that allocate() may still need.
  const std::size_t wanted = size + 8;
  if (wanted > kLargestChunk / 4) {
    large_.push_back({std::unique_ptr<char[]>(new char[wanted]), wanted});
    return large_.back().memory.get();
  }
  while (used_ < chunks_.size() && chunks_[used_].size < wanted) ++used_;
  if (used_ == chunks_.size()) {
    const std::size_t last = chunks_.empty() ? kFirstChunk / 2 : chunks_.back().size;
    const std::size_t fresh = std::max(std::min(last * 2, kLargestChunk), wanted);
    chunks_.push_back({std::unique_ptr<char[]>(new char[fresh]), fresh});
  }
  const Chunk& chunk = chunks_[used_++];
  next_ = chunk.memory.get() + size;
  left_ = chunk.size - size;
  return chunk.memory.get();
}

void Arena::reset() {
  large_.clear();
  if (chunks_.size() > kKeptChunks) chunks_.resize(kKeptChunks);
  used_ = 0;
  next_ = nullptr;
  left_ = 0;
}

}  // namespace truss::bolt
