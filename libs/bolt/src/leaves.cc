#include "bucket_impl.h"
#include "tx_impl.h"

/// All leaves of a bucket in order, for a reader that knows some of them.
namespace truss::bolt {
namespace {

/// A sound walk meets no page twice, so more than there are pages means a loop.
class LeafWalk {
 public:
  LeafWalk(const Bucket::Impl& bucket, LeafReader& reader)
      : bucket_(bucket), view_(bucket.tx.view), reader_(reader) {}

  Result<> child(std::uint64_t id, int depth) {
    if (++pages_ > view_.page_limit) return tl::unexpected(bucket_.too_many_leaves());
    if (depth == kMaxDepth) return tl::unexpected(bucket_.too_deep());
    if (id >= kFirstDataPage && id < view_.page_limit) {
      TRUSS_ASSIGN(const bool known, reader_.known(id));
      if (known) return {};
    }
    PageRef page;
    if (!view_.load(id, page)) return tl::unexpected(view_.explain(id));
    if (page.leaf) return leaf(page);
    for (std::uint32_t i = 0; i < page.count; ++i) TRUSS_TRY(child(page.child(i), depth + 1));
    return {};
  }

  Result<> leaf(const PageRef& page) {
    for (std::uint32_t i = 0; i < page.count; ++i) {
      KeyValue pair;
      if (!page.pair(i, pair)) return tl::unexpected(view_.explain_element(page, i));
      TRUSS_TRY(reader_.pair(pair));
    }
    return {};
  }

 private:
  const Bucket::Impl& bucket_;
  const View& view_;
  LeafReader& reader_;
  std::uint64_t pages_ = 0;
};

}  // namespace

Result<> Bucket::read_leaves(LeafReader& reader) const {
  if (impl_->tx.writable() || impl_->tx.done) {
    return fail(Code::kFailedPrecondition,
                "bolt " + *impl_->tx.view.path + ": leaves are read in a read transaction");
  }
  LeafWalk walk(*impl_, reader);
  if (impl_->root == 0) return walk.leaf(impl_->inline_page);
  return walk.child(impl_->root, 0);
}

}  // namespace truss::bolt
