#include "truss/bolt/freelist_page.h"

#include <algorithm>

namespace truss::bolt {

std::uint64_t freelist_bytes(std::uint64_t count) {
  return kHeaderBytes + 8 * (count + (count >= kLongFreelist ? 1 : 0));
}

std::uint64_t freelist_pages(std::uint64_t count, std::uint64_t page_size) {
  return freelist_bytes(count) / page_size + 1;
}

Result<StoredFreelist> read_freelist(const View& view, std::uint64_t id) {
  if (id < kFirstDataPage || id >= view.page_limit) return tl::unexpected(view.explain(id));
  const char* p = view.base + id * view.page_size;
  const std::uint64_t overflow = load_le<std::uint32_t>(p + 12);
  if (load_le<std::uint64_t>(p) != id || load_le<std::uint16_t>(p + 8) != kFreelistFlag ||
      overflow >= view.page_limit - id) {
    return tl::unexpected(view.corrupt(p, "not a freelist page (wrong id, flags or length)"));
  }
  const std::uint64_t room = ((overflow + 1) * view.page_size - kHeaderBytes) / 8;
  std::uint64_t count = load_le<std::uint16_t>(p + 10);
  const char* ids = p + kHeaderBytes;
  std::uint64_t skipped = 0;
  if (count == kLongFreelist) {
    count = load_le<std::uint64_t>(ids);
    skipped = 1;
  }
  if (count > room - skipped) {
    return tl::unexpected(
        view.corrupt(p, "freelist of " + std::to_string(count) + " ids doesn't fit its pages"));
  }
  StoredFreelist list{{id, overflow + 1}, {}};
  list.ids.resize(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    list.ids[i] = load_le<std::uint64_t>(ids + 8 * (i + skipped));
  }
  std::sort(list.ids.begin(), list.ids.end());
  return list;
}

void encode_freelist(const std::vector<Run>& runs, Run pages, char* page) {
  std::uint64_t count = 0;
  for (const Run run : runs) count += run.count;
  store_le(page, pages.first);
  store_le(page + 8, kFreelistFlag);
  store_le(page + 10, static_cast<std::uint16_t>(std::min(count, kLongFreelist)));
  store_le(page + 12, static_cast<std::uint32_t>(pages.count - 1));
  char* next = page + kHeaderBytes;
  if (count >= kLongFreelist) {
    store_le(next, count);
    next += 8;
  }
  for (const Run run : runs) {
    for (std::uint64_t i = 0; i < run.count; ++i, next += 8) store_le(next, run.first + i);
  }
}

}  // namespace truss::bolt
