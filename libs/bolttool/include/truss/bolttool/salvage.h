#pragma once

#include <functional>
#include <string>
#include <vector>

#include "truss/bolttool/image.h"

namespace truss::bolttool {

struct SalvageOptions {
  bool stale = true;  ///< fill gaps from leaf pages that nothing refers to (perhaps older copies)
  std::function<void(std::uint64_t pages)> progress;
};

/// What a file gave, and what it can't have given.
struct SalvageReport {
  std::uint64_t pairs = 0;    ///< written
  std::uint64_t buckets = 0;  ///< written
  std::uint64_t sound_pages = 0;
  std::uint64_t mended_pages = 0;  ///< leaf pages whose header or elements were partly disbelieved
  std::uint64_t orphan_pages = 0;  ///< leaf pages that nothing sound referred to, used in a gap
  std::uint64_t unused_orphans = 0;  ///< that fitted no gap: older copies, most likely
  std::uint64_t orphan_pairs = 0;    ///< pairs from orphan pages: perhaps of an older state
  std::uint64_t conflicts = 0;       ///< keys for which orphans gave different values
  std::uint64_t lost_elements = 0;   ///< of pages that were read otherwise
  bool homeless = false;             ///< pairs whose bucket isn't known are in `lost+found`

  struct Note {
    std::uint64_t page = 0;
    std::string bucket;
    std::string what;  ///< one line: fault and what became of it
  };
  std::vector<Note> notes;  ///< kMaxNotes at most
  std::uint64_t notes_left_out = 0;
  static constexpr std::size_t kMaxNotes = 1000;
  /// Gaps that nothing filled.
  std::uint64_t open_gaps = 0;

  bool whole() const { return notes.empty() && notes_left_out == 0; }
};

/// Writes all that can be gathered from a damaged file as a fresh one into `file` (empty): walks
/// the tree as far as it goes, reads damaged leaf pages element by element, and fills gaps below
/// lost pages with leaf pages found in the whole file whose keys fit. \param image  opened with
/// pages_only Durability: the bytes are on disk when it returns. Errors: those of the new file;
/// kCorruption if nothing at all could be gathered.
Result<SalvageReport> salvage(const Image& image, File& file, const std::string& path,
                              const SalvageOptions& options);

}  // namespace truss::bolttool
