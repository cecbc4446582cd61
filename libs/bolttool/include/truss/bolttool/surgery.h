#pragma once

#include <functional>

#include "truss/bolttool/image.h"

/// Changes of single pages, made in a copy of a file. They make no promise on what comes out: check
/// it afterwards.
namespace truss::bolttool {

/// Page `from`, with its overflow pages, over page `to`, whose header is made to name it.
/// Errors: kInvalidArgument if a page is outside the file or the pages overlap.
Result<> copy_page(const Image& image, File& file, std::uint64_t from, std::uint64_t to);

/// Takes elements [first, last) out of a leaf or branch page.
/// Errors: kInvalidArgument for a wrong range or another kind of page; kCorruption if an element
/// that stays lies outside its page.
Result<> clear_elements(const Image& image, File& file, std::uint64_t page, std::uint64_t first,
                        std::uint64_t last);

/// Makes the older state the newest, by writing it over the newer meta page.
/// Errors: kFailedPrecondition if the other meta page is damaged.
Result<> revert_meta(const Image& image, File& file);

/// Both meta pages say that no freelist is stored; the free pages are then found by a scan.
Result<> abandon_freelist(const Image& image, File& file);

/// Writes one meta page, with the checksum that belongs to it.
Result<> write_meta(File& file, const bolt::Meta& meta, int slot);

}  // namespace truss::bolttool
