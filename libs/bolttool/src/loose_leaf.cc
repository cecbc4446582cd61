#include "loose_leaf.h"

#include <algorithm>
#include <bit>

namespace truss::bolttool {
namespace {

struct Header {
  std::uint64_t id;
  std::uint16_t flags;
  std::uint16_t count;
  std::uint32_t overflow;
};

Header header_of(const char* p) {
  return {load_le<std::uint64_t>(p), load_le<std::uint16_t>(p + 8), load_le<std::uint16_t>(p + 10),
          load_le<std::uint32_t>(p + 12)};
}

/// Data follows the elements at once, so the first position tells how many elements there are.
std::uint64_t count_by_position(const char* page, std::uint64_t page_size) {
  const std::uint64_t position = load_le<std::uint32_t>(page + bolt::kHeaderBytes + 4);
  if (position == 0 || position % bolt::kElementBytes != 0) return 0;
  const std::uint64_t count = position / bolt::kElementBytes;
  return bolt::kHeaderBytes + count * bolt::kElementBytes <= page_size * 8 ? count : 0;
}

bool plausible(const bolt::KeyValue& kv) {
  if (kv.key.empty() || kv.key.size() > bolt::kMaxKeyBytes) return false;
  return !kv.is_bucket || kv.value.size() >= bolt::kBucketHeaderBytes;
}

/// Elements whose data begin where those before end and end where the next ones begin: a position
/// or size that lies shows on at least one side.
std::vector<bolt::KeyValue> chained(const bolt::PageRef& page, std::uint64_t claimed,
                                    std::uint64_t& end) {
  std::vector<bolt::KeyValue> out;
  const auto offset = [&](std::uint32_t i, bool stop, std::uint64_t& at) {
    bolt::KeyValue kv;
    if (!page.pair(i, kv)) return false;
    at = static_cast<std::uint64_t>((stop ? kv.value.data() + kv.value.size() : kv.key.data()) -
                                    page.data);
    return true;
  };
  for (std::uint32_t i = 0; i < page.count; ++i) {
    bolt::KeyValue kv;
    if (!page.pair(i, kv) || !plausible(kv)) continue;
    std::uint64_t start = 0, stop = 0, other = 0;
    static_cast<void>(offset(i, false, start));
    static_cast<void>(offset(i, true, stop));
    if (stop > claimed && claimed <= page.bytes) continue;
    const bool starts = i == 0 ? start == page.element_at(page.count)
                               : offset(i - 1, true, other) && other == start;
    const bool stops = i + 1 == page.count || (offset(i + 1, false, other) && other == stop);
    if (!starts || !stops) continue;
    out.push_back(kv);
    end = std::max(end, stop);
  }
  return out;
}

/// The longest run of keys in ascending order, so that one bad key doesn't cost all behind it.
std::vector<bolt::KeyValue> ascending(const std::vector<bolt::KeyValue>& all) {
  std::vector<std::size_t> tails, before(all.size(), all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto at =
        std::lower_bound(tails.begin(), tails.end(), i,
                         [&](std::size_t a, std::size_t b) { return all[a].key < all[b].key; });
    if (at != tails.begin()) before[i] = *std::prev(at);
    if (at == tails.end()) {
      tails.push_back(i);
    } else {
      *at = i;
    }
  }
  std::vector<bolt::KeyValue> out;
  for (std::size_t i = tails.empty() ? all.size() : tails.back(); i < all.size(); i = before[i]) {
    out.push_back(all[i]);
  }
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace

std::optional<LooseLeaf> read_loosely(const Image& image, std::uint64_t id, bool expected) {
  if (id < bolt::kFirstDataPage || id >= image.file_pages()) return std::nullopt;
  const char* p = image.page_bytes(id);
  const Header header = header_of(p);
  const bool named = header.id == id && header.flags == bolt::kLeafFlag;
  if (!named && !expected) return std::nullopt;
  LooseLeaf leaf;
  leaf.id = id;
  // One bit may have flipped; any other number is that of a page written to the wrong place.
  if (std::popcount(header.id ^ id) > 1) return std::nullopt;
  const std::uint64_t by_position = count_by_position(p, image.page_size());
  if (header.flags != bolt::kLeafFlag && by_position != header.count) return std::nullopt;
  if (header.id != id) leaf.repair += " page number";
  if (header.flags != bolt::kLeafFlag) leaf.repair += " type";
  std::uint64_t count = header.count;
  if (by_position != 0 && by_position != count && expected) {
    count = by_position;
    leaf.repair += " element count";
  }
  bolt::PageRef page;
  page.data = p;
  page.bytes = (image.file_pages() - id) * image.page_size();
  page.leaf = true;
  const std::uint64_t room = (page.bytes - bolt::kHeaderBytes) / bolt::kElementBytes;
  page.count = static_cast<std::uint32_t>(std::min(count, room));
  // A header that can be believed bounds what its elements may reach.
  const std::uint64_t claimed = (std::uint64_t{header.overflow} + 1) * image.page_size();
  if (claimed <= page.bytes && !expected) page.bytes = claimed;
  std::uint64_t end = 0;
  const std::vector<bolt::KeyValue> found = chained(page, claimed, end);
  leaf.pairs = ascending(found);
  if (leaf.pairs.empty()) return std::nullopt;
  leaf.lost_elements = static_cast<std::uint32_t>(page.count - leaf.pairs.size());
  leaf.pages = std::max<std::uint64_t>(1, (end + image.page_size() - 1) / image.page_size());
  return leaf;
}

std::optional<bolt::PageRef> read_branch_loosely(const Image& image, std::uint64_t id) {
  if (id < bolt::kFirstDataPage || id >= image.file_pages()) return std::nullopt;
  const char* p = image.page_bytes(id);
  const Header header = header_of(p);
  if (std::popcount(header.id ^ id) > 1) return std::nullopt;
  // Branch elements begin with the position, which also tells how many there are.
  const std::uint64_t position = load_le<std::uint32_t>(p + bolt::kHeaderBytes);
  const std::uint64_t count = position / bolt::kElementBytes;
  bolt::PageRef page;
  page.data = p;
  page.bytes = image.page_size();
  page.count = static_cast<std::uint32_t>(count);
  if (count == 0 || position % bolt::kElementBytes != 0 ||
      page.element_at(page.count) > page.bytes) {
    return std::nullopt;
  }
  ByteView before;
  for (std::uint32_t i = 0; i < page.count; ++i) {
    ByteView key;
    const std::uint64_t child = page.child(i);
    if (!page.key(i, key) || key.empty() || (i > 0 && key <= before)) return std::nullopt;
    if (child < bolt::kFirstDataPage || child >= image.file_pages()) return std::nullopt;
    before = key;
  }
  return page;
}

}  // namespace truss::bolttool
