#include "truss/bolt/meta.h"

#include "truss/common/coding.h"

namespace truss::bolt {
namespace {

constexpr std::uint32_t kMagic = 0xED0CDAED;
constexpr std::uint32_t kVersion = 2;
constexpr std::uint64_t kChecksummedBytes = 56;

std::uint64_t fnv1a(ByteView bytes) {
  std::uint64_t h = 0xcbf29ce484222325;
  for (const char c : bytes) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return h;
}

Unexpected bad(std::string what) { return fail(Code::kCorruption, std::move(what)); }

Result<> check_fields(const Meta& m) {
  if (!valid_page_size(m.page_size)) {
    return bad("page size " + std::to_string(m.page_size) +
               " is not a power of two in [1024, 65536]");
  }
  if (m.high_water > (std::uint64_t{1} << 62) / m.page_size) {
    return bad("high-water mark " + std::to_string(m.high_water) + " is beyond any file");
  }
  if (m.root < kFirstDataPage || m.root >= m.high_water) {
    return bad("root page " + std::to_string(m.root) + " is outside [2, " +
               std::to_string(m.high_water) + ")");
  }
  if (m.freelist != kNoFreelist && (m.freelist < kFirstDataPage || m.freelist >= m.high_water)) {
    return bad("freelist page " + std::to_string(m.freelist) + " is outside [2, " +
               std::to_string(m.high_water) + ")");
  }
  return {};
}

std::string at_page(const std::string& path, std::uint64_t page, std::uint64_t offset) {
  return "bolt " + path + ": meta page " + std::to_string(page) + " at offset " +
         std::to_string(offset);
}

/// The second meta page where page 0 doesn't tell the page size.
Result<Meta> probe_second(ByteView head) {
  for (std::uint64_t size = kMinPageSize; size <= kMaxPageSize; size *= 2) {
    if (head.size() < size + kMetaBytes) break;
    auto meta = decode_meta(head.substr(size));
    if (meta && meta->page_size == size) return meta;
  }
  return bad("no valid second meta page at any page size");
}

Result<Meta> second_of_size(ByteView head, std::uint32_t page_size) {
  if (head.size() < page_size + kMetaBytes) return bad("file too short for a second meta page");
  TRUSS_ASSIGN(Meta meta, decode_meta(head.substr(page_size)));
  if (meta.page_size != page_size) return bad("page sizes of the two meta pages differ");
  return meta;
}

}  // namespace

Result<Meta> decode_meta(ByteView page) {
  if (page.size() < kMetaBytes) return bad("only " + std::to_string(page.size()) + " bytes");
  const char* p = page.data() + kHeaderBytes;
  if (load_le<std::uint32_t>(p) != kMagic)
    return bad("no bolt magic (not a bolt file, or damaged)");
  if (const auto version = load_le<std::uint32_t>(p + 4); version != kVersion) {
    return bad("version " + std::to_string(version) + " (want 2)");
  }
  const auto stored = load_le<std::uint64_t>(p + 56);
  const auto computed = fnv1a(ByteView(p, kChecksummedBytes));
  if (stored != computed && stored != 0) return bad("checksum mismatch");
  Meta m;
  m.page_size = load_le<std::uint32_t>(p + 8);
  m.root = load_le<std::uint64_t>(p + 16);
  m.sequence = load_le<std::uint64_t>(p + 24);
  m.freelist = load_le<std::uint64_t>(p + 32);
  m.high_water = load_le<std::uint64_t>(p + 40);
  m.txid = load_le<std::uint64_t>(p + 48);
  TRUSS_TRY(check_fields(m));
  return m;
}

void encode_meta(const Meta& meta, int slot, char* page) {
  store_le(page, static_cast<std::uint64_t>(slot));
  store_le(page + 8, kMetaFlag);
  char* p = page + kHeaderBytes;
  store_le(p, kMagic);
  store_le(p + 4, kVersion);
  store_le(p + 8, meta.page_size);
  store_le(p + 12, std::uint32_t{0});
  store_le(p + 16, meta.root);
  store_le(p + 24, meta.sequence);
  store_le(p + 32, meta.freelist);
  store_le(p + 40, meta.high_water);
  store_le(p + 48, meta.txid);
  store_le(p + 56, fnv1a(ByteView(p, kChecksummedBytes)));
}

Result<MetaChoice> choose_meta(ByteView head, const std::string& path) {
  auto first = decode_meta(head);
  auto second = first ? second_of_size(head, first->page_size) : probe_second(head);
  if (!first && !second) return fail(at_page(path, 0, 0), std::move(first).error());
  MetaChoice choice;
  choice.slot = !first || (second && second->txid > first->txid) ? 1 : 0;
  choice.meta = choice.slot == 0 ? *first : *second;
  choice.other_valid = first && second;
  return choice;
}

std::uint64_t next_txid(std::uint64_t txid, int slot) {
  const std::uint64_t next = txid + 1;
  return next % 2 == static_cast<std::uint64_t>(slot) ? next + 1 : next;
}

}  // namespace truss::bolt
