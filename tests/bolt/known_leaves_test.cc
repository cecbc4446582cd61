#include "support.h"
#include "truss/bolt/walk.h"

// Opening a file whose leaves somebody has seen already.
using namespace truss;
using namespace truss::bolt;
using namespace truss::bolt::testing;

namespace {

/// Knows every second leaf of a file.
class HalfKnown final : public KnownLeaves, public PageWalk::Observer {
 public:
  explicit HalfKnown(DB& db) {
    Tx tx = must(db.begin_read());
    PageSet seen(tx.view().page_limit);
    PageWalk walk(tx.view(), seen, false, true, [](const Error& error) { FAIL(error.message); });
    walk.observe(this);
    walk.tree(tx.meta().root);
  }
  std::uint64_t pages(std::uint64_t id) const override {
    const auto found = known.find(id);
    return found == known.end() ? 0 : found->second;
  }
  void page(std::uint64_t id, const PageRef& page, int level) override {
    if (page.leaf && level > 0 && ++leaves_ % 2 == 0) known[id] = page.overflow() + 1;
  }
  void enter_bucket(const KeyValue&, const PageRef*) override {}
  void leave_bucket() override {}

  std::map<std::uint64_t, std::uint64_t> known;

 private:
  int leaves_ = 0;
};

/// A file of some hundred leaves, a few with overflow pages, and free pages between them.
struct Subject {
  Subject() {
    auto db = open_db(dir.fs, path, {.no_sync = true});
    fill(*db, "b", 0, 5000, std::string(300, 'v'));
    fill(*db, "b", 500, 520, std::string(20'000, 'w'));
    fill(*db, "c", 0, 3000, std::string(200, 'u'));
    Tx tx = must(db->begin_write());
    for (int i = 1000; i < 2000; ++i) must(bucket_of(tx, "b").remove(key_of(i)));
    must(tx.commit());
    leaves = std::make_unique<HalfKnown>(*db);
  }

  /// Whoever looks at a known leaf after this finds rubbish.
  void spoil_known() {
    auto file = dir.fs.open(path, {.write = true}).value();
    for (const auto& [id, count] : leaves->known)
      REQUIRE(file->pwrite(std::string(count * 4096, 'x'), id * 4096));
  }

  Stats stats(const Options& options) { return open_db(dir.fs, path, options)->stats(); }

  TempDir dir;
  std::string path = dir.file("db");
  std::unique_ptr<HalfKnown> leaves;
};

}  // namespace

TEST_CASE("bolt open: leaves that are known aren't read, and the free pages are the same") {
  Subject subject;
  REQUIRE(subject.leaves->known.size() > 100);
  const Stats read = subject.stats({});
  REQUIRE(read.free_pages > 50);
  subject.spoil_known();
  CHECK_FALSE(DB::open(subject.dir.fs, subject.path, {}).has_value());
  for (const unsigned threads : {1U, 2U}) {
    CAPTURE(threads);
    const Stats known =
        subject.stats({.walk_threads = threads, .known_leaves = subject.leaves.get()});
    CHECK(known.free_pages == read.free_pages);
    CHECK(known.in_use_bytes == read.in_use_bytes);
  }
}

TEST_CASE("bolt open: a known leaf that would lie on another page is a fault") {
  Subject subject;
  for (auto& [id, count] : subject.leaves->known) count = 2;
  const auto opened =
      DB::open(subject.dir.fs, subject.path, {.known_leaves = subject.leaves.get()});
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == Code::kCorruption);
}

TEST_CASE("bolt open: a known leaf that would end past the file is read") {
  Subject subject;
  const Stats read = subject.stats({});
  for (const std::uint64_t pages : {std::uint64_t{1} << 40, UINT64_MAX}) {
    CAPTURE(pages);
    for (auto& [id, count] : subject.leaves->known) count = pages;
    CHECK(subject.stats({.known_leaves = subject.leaves.get()}).free_pages == read.free_pages);
  }
}
