#include "truss/snaptool/diff.h"

#include <doctest/doctest.h>

#include <map>
#include <random>

#include "small_db.h"
#include "truss/test_support/temp_dir.h"

using namespace truss;
using namespace truss::snaptool;
using snaptool_test::Change;

namespace {

PosixFileSystem disk;
using Model = std::map<std::string, std::string>;

/// Changes of 60 keys, some of them in one transaction.
std::vector<Change> random_history(std::mt19937& random, std::int64_t from, int length) {
  std::vector<Change> out;
  std::int64_t main = from;
  for (int i = 0; i < length; ++i) {
    Change change{main, 0, "k/" + std::to_string(random() % 60), {}};
    if (random() % 4 != 0) change.value = std::string(random() % 30, 'a' + char(random() % 26));
    out.push_back(change);
    ++main;
  }
  return out;
}

/// Drops what a real store would refuse: deletes of absent keys.
std::vector<Change> sensible(const std::vector<Change>& history) {
  Model live;
  std::vector<Change> out;
  for (const Change& change : history) {
    if (!change.value && !live.contains(change.key)) continue;
    change.value ? void(live[change.key] = *change.value) : void(live.erase(change.key));
    out.push_back(change);
  }
  return out;
}

Model state_of(const std::vector<Change>& history, std::int64_t revision = INT64_MAX) {
  Model live;
  for (const Change& change : history) {
    if (change.main > revision) break;
    change.value ? void(live[change.key] = *change.value) : void(live.erase(change.key));
  }
  return live;
}

std::vector<std::string> expected(const Model& a, const Model& b, const KeyRange& range) {
  std::map<std::string, std::string> marks;
  for (const auto& [key, value] : a) {
    const auto it = b.find(key);
    if (it == b.end()) marks[key] = "- ";
    if (it != b.end() && it->second != value) marks[key] = "~ ";
  }
  for (const auto& [key, value] : b) {
    if (!a.contains(key)) marks[key] = "+ ";
  }
  std::vector<std::string> out;
  for (const auto& [key, mark] : marks) {
    if (range.contains(key)) out.push_back(mark + key);
  }
  return out;
}

class Shown {
 public:
  DiffSink sink() {
    return [this](const Difference& d) -> Result<> {
      static constexpr const char* kMarks[] = {"+ ", "- ", "~ ", "= "};
      const ByteView key = d.kind == Difference::Kind::kAdded ? d.b.key : d.a.key;
      lines.push_back(kMarks[static_cast<int>(d.kind)] + std::string(key));
      return {};
    };
  }
  std::vector<std::string> lines;
};

}  // namespace

TEST_CASE("a diff of two files is that of two maps, in key order, however little memory it has") {
  for (unsigned seed = 0; seed < 12; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const auto common = random_history(random, 2, 150);
    auto history_a = common, history_b = common;
    for (const Change& c : random_history(random, 152, seed % 3 == 0 ? 0 : 20))
      history_a.push_back(c);
    for (const Change& c : random_history(random, 152, 25)) history_b.push_back(c);
    history_a = sensible(history_a);
    history_b = sensible(history_b);
    test_support::TempDir dir;
    snaptool_test::write_db(dir / "a", history_a);
    snaptool_test::write_db(dir / "b", history_b);
    DbFile a = DbFile::open(disk, dir / "a").value();
    DbFile b = DbFile::open(disk, dir / "b").value();
    for (const KeyRange& range : {KeyRange{}, prefix_range("k/1"), single_key("k/7")}) {
      const auto wanted = expected(state_of(history_a), state_of(history_b), range);
      for (const std::uint64_t budget : {200u, 2000u, 1u << 20}) {
        CAPTURE(budget);
        Shown by_history, by_key;
        DiffOptions options;
        options.range = range;
        options.budget_bytes = budget;
        const DiffCounts counts = diff_files(a, b, options, by_history.sink()).value();
        CHECK(by_history.lines == wanted);
        CHECK(counts.added + counts.removed + counts.changed == wanted.size());
        const auto keys_a = file_keys(a, range, 0, budget).value();
        const auto keys_b = file_keys(b, range, 0, budget).value();
        CHECK(diff_sources(*keys_a, *keys_b, false, by_key.sink()).has_value());
        CHECK(by_key.lines == wanted);
      }
    }
    const std::int64_t earlier = 100;
    Shown at_revision;
    DiffOptions options;
    options.revision_a = earlier;
    CHECK(diff_files(b, b, options, at_revision.sink()).has_value());
    CHECK(at_revision.lines ==
          expected(state_of(history_b, earlier), state_of(history_b), KeyRange{}));
  }
}

TEST_CASE("equal values of other revisions show only when asked for") {
  test_support::TempDir dir;
  snaptool_test::write_db(dir / "a", {{2, 0, "k", "v"}});
  snaptool_test::write_db(dir / "b", {{2, 0, "k", "v"}, {3, 0, "k", "v"}});
  DbFile a = DbFile::open(disk, dir / "a").value();
  DbFile b = DbFile::open(disk, dir / "b").value();
  Shown plain, touched;
  CHECK(diff_files(a, b, {}, plain.sink())->equal());
  DiffOptions options;
  options.touched = true;
  CHECK(diff_files(a, b, options, touched.sink())->touched == 1);
  CHECK(plain.lines.empty());
  CHECK(touched.lines == std::vector<std::string>{"= k"});
}

TEST_CASE("revisions out of reach are refused") {
  test_support::TempDir dir;
  snaptool_test::write_db(dir / "a", snaptool_test::known_history(), 9);
  DbFile a = DbFile::open(disk, dir / "a").value();
  DiffOptions options;
  options.revision_a = 8;
  Shown shown;
  CHECK(diff_files(a, a, options, shown.sink()).error().code == Code::kOutOfRange);
  options.revision_a = 13;
  CHECK(diff_files(a, a, options, shown.sink()).error().code == Code::kOutOfRange);
  CHECK(file_keys(a, {}, 13).error().code == Code::kOutOfRange);
}

TEST_CASE("the end of a prefix range") {
  CHECK(prefix_range("ab").end == "ac");
  CHECK(prefix_range("a\xff").end == "b");
  CHECK(prefix_range("\xff\xff").end.empty());
  CHECK(prefix_range("").end.empty());
  CHECK(single_key("k").contains("k"));
  CHECK_FALSE(single_key("k").contains("k0"));
}
