#include "damage.h"

#include <algorithm>

#include "truss/bolt/freelist_page.h"

// Damaged files through check, dump and salvage: no crash, no hang, no silent wrong answer, and
// salvage gives back every pair that isn't on the damaged page. TRUSS_BITS=1 tries every bit.
using namespace truss;
using namespace truss::bolttool;
using namespace truss::bolttool::testing;

namespace {

std::size_t bit_stride() { return std::getenv("TRUSS_BITS") != nullptr ? 1 : 397; }

/// Puts a flip through all; gives what is wrong, or "".
std::string judge_flip(const std::string& image, const Truth& truth, std::size_t bit) {
  std::string damaged = image;
  damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
  const std::uint64_t page = bit / 8 / 1024;
  Answers answers;
  std::string wrong = judge(damaged, &answers);
  // A meta page that is lost means the state before.
  if (!wrong.empty() || page < 2) return wrong;
  wrong = truth.missing(answers.salvaged, page);
  if (wrong.empty()) return truth.invented(answers, damaged, page);
  // A page number may become that of an older copy of its page. Where no free pages are stored,
  // that is a sound file and all its readers see that copy: the one loss that no tool can tell.
  const auto child = truth.child_at(bit / 8);
  if (answers.check != 0 || !child) return wrong;
  return truth.missing(answers.salvaged, page, truth.leaves_below(*child));
}

}  // namespace

TEST_CASE("boltctl damage: the undamaged file") {
  for (const bool unsynced : {true, false}) {
    const std::string image = small_image(unsynced);
    Answers answers;
    CHECK(judge(image, &answers) == "");
    CHECK(Truth(image).missing(answers.salvaged, 0) == "");
  }
}

TEST_CASE("boltctl damage: single bits flipped") {
  for (const bool unsynced : {true, false}) {
    const std::string image = small_image(unsynced);
    const Truth truth(image);
    for (std::size_t bit = 0; bit < image.size() * 8; bit += bit_stride()) {
      const std::string wrong = judge_flip(image, truth, bit);
      CHECK_MESSAGE(wrong == "", "byte " << bit / 8 << " bit " << bit % 8 << ": " << wrong);
    }
  }
}

TEST_CASE("boltctl damage: a branch that points to a page of another bucket") {
  // Byte 10344 holds the last child of `data`: a leaf with buckets in it takes its place.
  const auto flip = [](bool unsynced, std::size_t bit) {
    const std::string image = small_image(unsynced);
    return judge_flip(image, Truth(image), std::size_t{10344} * 8 + bit);
  };
  CHECK(flip(true, 1) == "");
  CHECK(flip(false, 2) == "");
}

TEST_CASE("boltctl damage: an empty file with a leaf of a bucket that was removed") {
  truss::testing::SimFileSystem fs;
  {
    auto db = bolt::testing::open_db(fs, "/db", {.page_size = 1024});
    bolt::testing::fill(*db, "gone", 0, 30, "value");
    bolt::Tx tx = must(db->begin_write());
    must(tx.remove_bucket("gone"));
    must(tx.commit());
  }
  Answers answers;
  CHECK(judge(must(read_file(fs, "/db")), &answers) == "");
  CHECK(answers.salvage == 0);
  CHECK(answers.salvaged.empty());
}

TEST_CASE("boltctl damage: a branch that points to an older copy of its leaf, listed as free") {
  const std::string image = small_image(false);
  const Truth truth(image);
  const bolt::StoredFreelist free = [&] {
    truss::testing::SimFileSystem fs;
    must(must(fs.open("/db", {.write = true, .create = true}))->pwrite(image, 0));
    const Image whole = must(Image::open(fs, "/db", {}));
    return must(bolt::read_freelist(whole.view(), whole.meta().freelist));
  }();
  const auto flags = [&](std::uint64_t page) {
    return load_le<std::uint16_t>(image.data() + page * 1024 + 8);
  };
  int tried = 0;
  for (std::uint64_t page = 2; page < image.size() / 1024; ++page) {
    if (flags(page) != bolt::kBranchFlag || std::ranges::count(free.ids, page) > 0) continue;
    for (std::uint32_t i = 0; i < load_le<std::uint16_t>(image.data() + page * 1024 + 10); ++i) {
      for (const std::uint64_t id : free.ids) {
        if (flags(id) != bolt::kLeafFlag) continue;
        std::string damaged = image;
        store_le(damaged.data() + page * 1024 + bolt::kHeaderBytes + bolt::kElementBytes * i + 8,
                 id);
        Answers answers;
        CHECK(judge(damaged, &answers) == "");
        CHECK(truth.missing(answers.salvaged, page) == "");
        CHECK(truth.invented(answers, damaged, page) == "");
        ++tried;
      }
    }
  }
  CHECK(tried > 0);
}

TEST_CASE("boltctl damage: cut at every length") {
  const std::string image = small_image(true);
  const std::size_t step = bit_stride() == 1 ? 1 : 257;
  for (std::size_t size = 0; size < image.size(); size += step) {
    const std::string wrong = judge(image.substr(0, size));
    REQUIRE_MESSAGE(wrong == "", "cut at " << size << ": " << wrong);
  }
}

TEST_CASE("boltctl damage: whole pages destroyed, by zeros, noise or an older page") {
  SeededRandom random(3);
  for (const bool unsynced : {true, false}) {
    const std::string image = small_image(unsynced);
    const Truth truth(image);
    for (std::uint64_t page = 2; page < image.size() / 1024; ++page) {
      for (int kind = 0; kind < 3; ++kind) {
        std::string damaged = image;
        for (std::size_t i = 0; i < 1024; ++i) {
          const std::size_t at = page * 1024 + i;
          damaged[at] = kind == 0 ? '\0'
                        : kind == 1
                            ? static_cast<char>(random.below(256))
                            : image[(2 + (page + 1) % (image.size() / 1024 - 2)) * 1024 + i];
        }
        Answers answers;
        const std::string wrong = judge(damaged, &answers);
        REQUIRE_MESSAGE(wrong == "", "page " << page << " kind " << kind << ": " << wrong);
        const std::string lost = truth.missing(answers.salvaged, page);
        REQUIRE_MESSAGE(lost == "", "page " << page << " kind " << kind << ": " << lost);
      }
    }
  }
}

TEST_CASE("boltctl damage: random fields of several pages") {
  SeededRandom random(5);
  const std::string image = small_image(false);
  for (int round = 0; round < 150; ++round) {
    std::string damaged = image;
    for (std::uint64_t n = 1 + random.below(5); n > 0; --n) {
      const std::size_t at = random.below(image.size() / 4 - 4) * 4;
      store_le(damaged.data() + at,
               static_cast<std::uint32_t>(random.below(3) == 0 ? random.next() : random.below(30)));
    }
    const std::string wrong = judge(damaged);
    REQUIRE_MESSAGE(wrong == "", "round " << round << ": " << wrong);
  }
}
