#pragma once

#include <string>

#include "node.h"

namespace truss::bolt {

/// Pages of a new file, made in the order of their ids and written in large pieces.
class PageStream {
 public:
  PageStream(File& file, std::uint32_t page_size)
      : file_(file), page_size_(page_size), next_id_(kFirstDataPage) {
    buffer_.reserve(kPiece + kMaxPageSize);
  }

  /// Makes one page (with overflow pages where need be). Gives its id.
  Result<std::uint64_t> write(std::span<const Item> items, std::uint64_t bytes, bool leaf);
  /// Room for `pages` zeroed pages with the next ids, valid until the next call.
  Result<char*> raw(std::uint64_t pages, std::uint64_t& id);
  Result<> flush();

  std::uint64_t next_id() const { return next_id_; }
  std::uint64_t bytes() const { return next_id_ * page_size_; }

 private:
  static constexpr std::size_t kPiece = 1 << 20;

  File& file_;
  const std::uint64_t page_size_;
  std::uint64_t next_id_;
  std::string buffer_;  ///< pages not yet written, the last ones before next_id_
};

}  // namespace truss::bolt
