#include "truss/bolttool/surgery.h"

namespace truss::bolttool {
namespace {

Unexpected refuse(const Image& image, Code code, const std::string& what) {
  return fail(code, "bolt " + image.path() + ": " + what);
}

Result<> inside(const Image& image, std::uint64_t page) {
  if (page >= bolt::kFirstDataPage && page < image.file_pages()) return {};
  return refuse(image, Code::kInvalidArgument,
                "page " + std::to_string(page) + " is outside [2, " +
                    std::to_string(image.file_pages()) + ")");
}

/// The page's elements but [first, last), packed anew into as many pages as it has.
class Packer {
 public:
  Packer(const bolt::PageRef& page, std::uint64_t kept)
      : page_(page),
        bytes_(page.bytes, '\0'),
        data_(bolt::kHeaderBytes + kept * bolt::kElementBytes) {
    bytes_.replace(0, bolt::kHeaderBytes, page.data, bolt::kHeaderBytes);
    store_le(bytes_.data() + 10, static_cast<std::uint16_t>(kept));
  }

  bool keep(std::uint32_t i) {
    bolt::KeyValue kv;
    if (page_.leaf ? !page_.pair(i, kv) : !page_.key(i, kv.key)) return false;
    if (data_ + kv.key.size() + kv.value.size() > bytes_.size()) return false;
    char* element = bytes_.data() + element_;
    std::copy_n(page_.data + page_.element_at(i), bolt::kElementBytes, element);
    store_le(element + (page_.leaf ? 4 : 0), static_cast<std::uint32_t>(data_ - element_));
    bytes_.replace(data_, kv.key.size(), kv.key);
    bytes_.replace(data_ + kv.key.size(), kv.value.size(), kv.value);
    data_ += kv.key.size() + kv.value.size();
    element_ += bolt::kElementBytes;
    return true;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  const bolt::PageRef& page_;
  std::string bytes_;
  std::uint64_t element_ = bolt::kHeaderBytes;
  std::uint64_t data_;
};

}  // namespace

Result<> write_meta(File& file, const bolt::Meta& meta, int slot) {
  std::string page(meta.page_size, '\0');
  bolt::encode_meta(meta, slot, page.data());
  return file.pwrite(page, static_cast<std::uint64_t>(slot) * meta.page_size);
}

Result<> copy_page(const Image& image, File& file, std::uint64_t from, std::uint64_t to) {
  TRUSS_TRY(inside(image, from));
  TRUSS_TRY(inside(image, to));
  const std::uint64_t pages =
      std::uint64_t{load_le<std::uint32_t>(image.page_bytes(from) + 12)} + 1;
  const bool overlap = from < to + pages && to < from + pages;
  if (pages > image.file_pages() - std::max(from, to) || overlap) {
    return refuse(image, Code::kInvalidArgument,
                  "page " + std::to_string(from) + " has " + std::to_string(pages - 1) +
                      " overflow pages, which don't fit at page " + std::to_string(to));
  }
  std::string bytes(image.page_bytes(from), pages * image.page_size());
  store_le(bytes.data(), to);
  return file.pwrite(bytes, to * image.page_size());
}

Result<> clear_elements(const Image& image, File& file, std::uint64_t id, std::uint64_t first,
                        std::uint64_t last) {
  TRUSS_TRY(inside(image, id));
  bolt::View whole = image.view();
  whole.page_limit = image.file_pages();
  bolt::PageRef page;
  if (!whole.load(id, page)) {
    return refuse(image, Code::kInvalidArgument, whole.explain(id).message);
  }
  if (first >= last || last > page.count) {
    return refuse(image, Code::kInvalidArgument,
                  "page " + std::to_string(id) + " has elements [0, " + std::to_string(page.count) +
                      "), not [" + std::to_string(first) + ", " + std::to_string(last) + ")");
  }
  Packer packer(page, page.count - (last - first));
  for (std::uint32_t i = 0; i < page.count; ++i) {
    if (i >= first && i < last) continue;
    if (!packer.keep(i)) return tl::unexpected(whole.explain_element(page, i));
  }
  return file.pwrite(packer.bytes(), id * image.page_size());
}

Result<> revert_meta(const Image& image, File& file) {
  const MetaPage& other = image.metas()[static_cast<std::size_t>(1 - image.slot())];
  if (!other.meta) {
    return refuse(
        image, Code::kFailedPrecondition,
        "meta page " + std::to_string(1 - image.slot()) + " is damaged too: " + other.fault);
  }
  return write_meta(file, *other.meta, image.slot());
}

Result<> abandon_freelist(const Image& image, File& file) {
  for (int slot = 0; slot < 2; ++slot) {
    const MetaPage& page = image.metas()[static_cast<std::size_t>(slot)];
    if (!page.meta) continue;
    bolt::Meta meta = *page.meta;
    meta.freelist = bolt::kNoFreelist;
    TRUSS_TRY(write_meta(file, meta, slot));
  }
  return {};
}

}  // namespace truss::bolttool
