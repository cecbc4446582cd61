#include "truss/bolt/page.h"

namespace truss::bolt {
namespace {

std::string number(std::uint64_t n) { return std::to_string(n); }

}  // namespace

std::string View::where(const char* at) const {
  const auto offset = reinterpret_cast<std::uintptr_t>(at) - reinterpret_cast<std::uintptr_t>(base);
  if (at == nullptr || offset >= page_limit * page_size) return "a page not yet written";
  return "page " + number(offset / page_size) + " at offset " + number(offset);
}

Error View::corrupt(const char* at, const std::string& what) const {
  return Error{Code::kCorruption, "bolt " + *path + ": " + where(at) + ": " + what};
}

Error View::explain(std::uint64_t id) const {
  if (id < kFirstDataPage || id >= page_limit) {
    return Error{Code::kCorruption, "bolt " + *path + ": page " + number(id) +
                                        " is referenced but outside [2, " + number(page_limit) +
                                        ")"};
  }
  const char* p = base + id * page_size;
  const auto own_id = load_le<std::uint64_t>(p);
  const auto flags = load_le<std::uint16_t>(p + 8);
  const auto count = load_le<std::uint16_t>(p + 10);
  const auto overflow = load_le<std::uint32_t>(p + 12);
  if (own_id != id) return corrupt(p, "its header names page " + number(own_id));
  if (overflow >= page_limit - id) {
    return corrupt(
        p, "its " + number(overflow) + " overflow pages pass the end, page " + number(page_limit));
  }
  if (flags != kLeafFlag && flags != kBranchFlag) {
    return corrupt(p, "flags " + number(flags) + " are neither leaf (2) nor branch (1)");
  }
  return corrupt(p, "its " + number(count) + " elements don't fit, or a branch has none");
}

Error View::explain_element(const PageRef& page, std::uint32_t i) const {
  const char* e = page.data + page.element_at(i);
  return corrupt(e, "element " + number(i) + " of " + number(page.count) +
                        " points outside its page of " + number(page.bytes) + " bytes");
}

}  // namespace truss::bolt
