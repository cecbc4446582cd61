#include "truss/peer/gather.h"

#include <algorithm>

namespace truss::peer {
namespace {

/// A part that was once large must not keep its memory for ever.
constexpr std::size_t kKeptBytes = 1u << 20;

}  // namespace

std::optional<ByteView> Gather::take(ByteView& input, std::size_t size) {
  if (full_) {
    full_ = false;
    if (held_.capacity() > kKeptBytes) held_ = std::string();
    held_.clear();
  }
  if (held_.empty() && input.size() >= size) {
    const ByteView part = input.substr(0, size);
    input.remove_prefix(size);
    return part;
  }
  const std::size_t count = std::min(size - held_.size(), input.size());
  held_.append(input.substr(0, count));
  input.remove_prefix(count);
  if (held_.size() < size) return std::nullopt;
  full_ = true;
  return held_;
}

}  // namespace truss::peer
