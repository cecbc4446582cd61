#include <cstdio>
#include <cstdlib>

#include "../../bolt/exercise.h"
#include "truss/common/coding.h"

// Any bytes as a bolt file: open, check, walk, change. A file that check() finds sound can be read
// and changed; no file crashes, hangs or is written outside itself. See exercise.h.
using namespace truss;

namespace {

constexpr std::size_t kMetaRecord = 16, kPageSizeField = 8, kChecksumField = 56;

/// Blanks the checksums of both meta pages (zero counts as valid), so that changes of their other
/// fields get past them.
void blank_checksums(std::string& image) {
  for (std::size_t page = 0; page + kMetaRecord + 64 <= image.size();) {
    store_le<std::uint64_t>(image.data() + page + kMetaRecord + kChecksumField, 0);
    if (page != 0) break;
    page = load_le<std::uint32_t>(image.data() + kMetaRecord + kPageSizeField);
    if (page == 0) break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string image(reinterpret_cast<const char*>(data), size);
  if (size % 2 == 0) blank_checksums(image);
  const std::string wrong = bolt::testing::exercise(image, size);
  if (wrong.empty()) return 0;
  std::fprintf(stderr, "%s\n", wrong.c_str());
  std::abort();
}
