#include <algorithm>

#include "database.h"

// The image of a read transaction: what `etcdctl snapshot save` puts before its hash.
namespace truss::bolt {
namespace {

constexpr std::uint64_t kPiece = 64 * 1024;

}  // namespace

Result<> Tx::Impl::write_to(const std::function<Result<>(ByteView)>& sink) {
  if (writable() || done) {
    return fail(Code::kFailedPrecondition,
                "bolt " + *view.path + ": only an open read transaction can be copied");
  }
  if (view.page_limit < meta.high_water) {
    return fail(Code::kCorruption, "bolt " + *view.path + ": file ends at page " +
                                       std::to_string(view.page_limit) + ", before its last page " +
                                       std::to_string(meta.high_water - 1));
  }
  Meta image = meta;
  image.freelist = kNoFreelist;
  std::string metas(2 * view.page_size, '\0');
  for (int page = 0; page < 2; ++page) {
    image.txid = meta.txid - static_cast<std::uint64_t>(page);
    encode_meta(image, page, metas.data() + static_cast<std::size_t>(page) * view.page_size);
  }
  TRUSS_TRY(sink(metas));
  const std::uint64_t end = meta.high_water * view.page_size;
  for (std::uint64_t at = 2 * view.page_size; at < end; at += kPiece) {
    TRUSS_TRY(sink(ByteView(view.base + at, std::min(kPiece, end - at))));
  }
  return {};
}

}  // namespace truss::bolt
