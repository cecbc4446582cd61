#include "bucket_impl.h"
#include "truss/common/check.h"
#include "tx_impl.h"

// Turns the nodes of a commit into page images: children before parents, split by fill percent,
// each in newly allocated pages; the old pages are freed.
namespace truss::bolt {
namespace {

/// Largest page with overflow. Element positions are 32 bits wide.
constexpr std::uint64_t kMaxObjectBytes = std::uint64_t{1} << 31;
/// A node with so few items is never split (it gets overflow pages).
constexpr std::uint32_t kNeverSplit = 2 * kMinKeysPerPage;

class Spiller {
 public:
  Spiller(Tx::Impl& tx, double fill)
      : tx_(tx),
        page_size_(tx.view.page_size),
        threshold_(static_cast<std::uint64_t>(static_cast<double>(page_size_) * fill)) {}

  /// Writes the tree and returns the page of its root.
  Result<std::uint64_t> tree(Node& root) {
    Node* above = new_node(arena(), false, 8);
    TRUSS_TRY(node(root, *above));
    if (above->count == 0) return write({}, true);
    while (above->count > 1) {
      Node* next = new_node(arena(), false, 8);
      pieces(*above, *next);
      above = next;
    }
    return above->items[0].page();
  }

 private:
  Arena& arena() { return tx_.writer->objects; }

  Result<> node(Node& n, Node& parent) {
    TRUSS_TRY(tx_.free(n.pages));
    if (n.leaf) {
      pieces(n, parent);
      return {};
    }
    Node* written = new_node(arena(), false, n.count + 8);
    for (const Item& item : n.all()) {
      if (item.has_node()) {
        TRUSS_TRY(node(*item.node(), *written));
      } else {
        written->insert(arena(), written->count, item);
      }
    }
    pieces(*written, parent);
    return {};
  }

  /// Writes a node, children written, as one or more pages, and links them in `parent`.
  void pieces(const Node& n, Node& parent) {
    std::uint64_t rest = n.bytes();
    for (std::uint32_t at = 0; at < n.count;) {
      const std::uint32_t length = piece_length(n, at, rest);
      const std::span<const Item> items = n.all().subspan(at, length);
      parent.insert(arena(), parent.count, Item::page(items[0].key(), write(items, n.leaf)));
      for (std::uint32_t i = at; i < at + length; ++i) rest -= n.item_bytes(i);
      at += length;
    }
  }

  /// Items from `at` on that go in the next page; `rest` = bytes of a page of all that are left.
  std::uint32_t piece_length(const Node& n, std::uint32_t at, std::uint64_t rest) const {
    const std::uint32_t left = n.count - at;
    if (rest <= page_size_ || left <= kMinKeysPerPage) return left;
    if (left <= kNeverSplit && rest <= kMaxObjectBytes) return left;
    std::uint64_t size = kHeaderBytes;
    std::uint32_t i = 0;
    for (; i < left - kMinKeysPerPage; ++i) {
      size += n.item_bytes(at + i);
      if (i >= kMinKeysPerPage && size > threshold_) break;
    }
    return i;
  }

  std::uint64_t write(std::span<const Item> items, bool leaf) {
    std::uint64_t bytes = kHeaderBytes;
    for (const Item& item : items) bytes += leaf ? item.leaf_bytes() : item.branch_bytes();
    const std::uint64_t pages = (bytes + page_size_ - 1) / page_size_;
    const std::uint64_t id = tx_.writer->freelist.allocate(pages);
    char* out = tx_.new_page(id, pages);
    encode_page(items, leaf, id, static_cast<std::uint32_t>(pages - 1), out, pages * page_size_);
    return id;
  }

  Tx::Impl& tx_;
  std::uint64_t page_size_;
  std::uint64_t threshold_;
};

}  // namespace

Result<> Bucket::Impl::spill() {
  for (auto& [child_name, child] : children) {
    if (!child->changed()) continue;
    TRUSS_TRY(child->spill());
    TRUSS_ASSIGN(const ByteView value, child->encoded_value());
    Path path;
    TRUSS_TRY(descend(child_name, path));
    bool exact = false;
    const std::uint32_t at = path.leaf->lower_bound(child_name, exact);
    if (!exact) {
      return fail(Code::kCorruption, "bolt " + *tx.view.path + ": keys out of order near bucket " +
                                         quoted(child_name));
    }
    path.leaf->items[at].set_value(value);
  }
  if (!root_node) return {};
  if (fits_inline()) {
    root = 0;
    return tx.free(root_node->pages);
  }
  TRUSS_ASSIGN(root, Spiller(tx, fill).tree(*root_node));
  return {};
}

bool Bucket::Impl::fits_inline() const {
  if (!parent || !root_node->leaf) return false;
  for (const Item& item : root_node->all()) {
    if (item.is_bucket()) return false;
  }
  return root_node->bytes() <= tx.view.page_size / 4;
}

Result<ByteView> Bucket::Impl::encoded_value() {
  const std::uint64_t image = root != 0 ? 0 : root_node ? root_node->bytes() : inline_page.bytes;
  char* out = tx.writer->bytes.bytes(kBucketHeaderBytes + image);
  store_le(out, root);
  store_le(out + 8, sequence);
  if (image > 0 && root_node) {
    encode_page(root_node->all(), true, 0, 0, out + kBucketHeaderBytes, image);
  } else if (image > 0) {
    std::memcpy(out + kBucketHeaderBytes, inline_page.data, image);
  }
  return ByteView(out, kBucketHeaderBytes + image);
}

}  // namespace truss::bolt
