#pragma once

#include <vector>

#include "truss/bolt/page.h"

namespace truss::bolt {

/// A freelist page as found in a file.
struct StoredFreelist {
  Run pages;                       ///< that it occupies
  std::vector<std::uint64_t> ids;  ///< free and pending pages, ascending
};

/// Pages that a list of `count` ids takes (a little more than needed, as bbolt allocates).
std::uint64_t freelist_pages(std::uint64_t count, std::uint64_t page_size);
/// Bytes before the ids and of the ids of a list of `count`.
std::uint64_t freelist_bytes(std::uint64_t count);

/// Reads the list at page `id`. Errors: kCorruption.
Result<StoredFreelist> read_freelist(const View& view, std::uint64_t id);

/// Writes header and ids at `page` (zeroed, `pages.count` pages long).
void encode_freelist(const std::vector<Run>& runs, Run pages, char* page);

}  // namespace truss::bolt
