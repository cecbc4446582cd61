#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "support.h"
#include "truss/bolt/walk.h"
#include "truss/bolttool/image.h"
#include "truss/common/coding.h"
#include "truss/common/testing/sim_file_system.h"
#include "truss/tool/exit_code.h"

// What every damaged file is put through, and a small file to damage.
namespace truss::bolttool::testing {

using Pairs = std::map<std::string, std::string>;  ///< `bucket/bucket#key` -> value

inline void add_pairs(const std::string& path, bolt::Bucket bucket, Pairs& out) {
  bolt::Cursor cursor = bucket.cursor();
  for (auto kv = must(cursor.first()); kv; kv = must(cursor.next())) {
    if (kv->is_bucket) {
      add_pairs(path + "/" + std::string(kv->key), *must(bucket.bucket(kv->key)), out);
    } else {
      out[path + "#" + std::string(kv->key)] = std::string(kv->value);
    }
  }
}

/// All pairs, by the engine's own reader.
inline Pairs pairs_in(FileSystem& fs, const std::string& file) {
  auto db = bolt::testing::open_db(fs, file, {.read_only = true});
  bolt::Tx tx = must(db->begin_read());
  Pairs out;
  bolt::Cursor top = tx.cursor();
  for (auto kv = must(top.first()); kv; kv = must(top.next())) {
    add_pairs(std::string(kv->key), bolt::testing::bucket_of(tx, kv->key), out);
  }
  return out;
}

/// Branches, overflow pages, nested and inline buckets, free pages with older copies.
inline std::string small_image(bool unsynced) {
  truss::testing::SimFileSystem fs;
  {
    auto db = bolt::testing::open_db(
        fs, "/db",
        {.no_freelist_sync = unsynced, .page_size = 1024, .no_sync = true, .no_grow_sync = true});
    bolt::testing::fill(*db, "data", 0, 70, "some value of the bucket");
    bolt::Tx tx = must(db->begin_write());
    must(must(tx.create_bucket("inline")).put("a", "1"));
    bolt::Bucket outer = must(tx.create_bucket("outer"));
    must(must(outer.create_bucket("nested")).put("large", std::string(1500, 'L')));
    must(outer.put("b", "2"));
    must(tx.commit());
  }
  return must(read_file(fs, "/db"));
}

/// What check and salvage answered to a file.
struct Answers {
  int check = 0;    ///< exit code
  int salvage = 0;  ///< exit code
  Pairs salvaged;   ///< none if salvage found nothing to write
};

/// Runs check, dump and salvage on `image`; gives what is wrong with their answers, "" if nothing.
inline std::string judge(const std::string& image, Answers* answers = nullptr) {
  truss::testing::SimFileSystem fs;
  must(must(fs.open("/db", {.write = true, .create = true}))->pwrite(image, 0));
  const Ran check = run(fs, {"check", "/db"});
  const Ran dump = run(fs, {"dump", "/db"});
  const Ran saved = run(fs, {"salvage", "/db", "--to", "/out"});
  if (answers != nullptr) *answers = {check.code, saved.code, {}};
  if (must(read_file(fs, "/db")) != image) return "the file was written to";
  if (check.code != 0 && check.code != 1) return "check: " + check.err;
  if (dump.code != 0 && dump.code != tool::kCorruptInput) return "dump: " + dump.err;
  if (saved.code != 0 && saved.code != 1 && saved.code != tool::kCorruptInput) {
    return "salvage: " + saved.err;
  }
  if (saved.code != tool::kCorruptInput) {
    if (run(fs, {"check", "/out"}).code != 0) return "salvage made a damaged file";
    const Pairs found = pairs_in(fs, "/out");
    if (answers != nullptr) answers->salvaged = found;
    if (check.code == 0 && found != pairs_in(fs, "/db")) return "salvage of a sound file differs";
  }
  if (check.code == 0 && dump.code != 0) return "check finds nothing, dump does: " + dump.err;
  if (check.code == 0 && saved.code != 0) return "check finds nothing, salvage does: " + saved.out;
  return {};
}

/// Pages on the way to each pair: the leaf it is on, the branches above, and so for the buckets
/// around it.
class PagesOf final : public bolt::PageWalk::Observer {
 public:
  explicit PagesOf(const Image& image) : image_(image) {
    bolt::PageSet seen(image.view().page_limit);
    bolt::PageWalk walk(image.view(), seen, false, false, [](const Error&) {});
    walk.observe(this);
    walk.tree(image.meta().root);
  }
  /// `path#key` -> pages without which it can't be found where it is.
  std::map<std::string, std::set<std::uint64_t>> leaves;

 private:
  void page(std::uint64_t id, const bolt::PageRef& page, int) override {
    if (!page.leaf) return;
    current_ = id;
    add(page, id);
  }
  void enter_bucket(const bolt::KeyValue& element, const bolt::PageRef* inlined) override {
    names_.emplace_back(element.key);
    around_.push_back(current_);
    if (inlined) add(*inlined, current_);
  }
  void leave_bucket() override {
    current_ = around_.back();
    names_.pop_back();
    around_.pop_back();
  }
  void add(const bolt::PageRef& page, std::uint64_t id) {
    std::string path;
    for (const std::string& name : names_) path += (path.empty() ? "" : "/") + name;
    for (std::uint32_t i = 0; i < page.count; ++i) {
      bolt::KeyValue kv;
      if (!page.pair(i, kv) || kv.is_bucket) continue;
      auto& pages = leaves[path + "#" + std::string(kv.key)];
      pages.insert(around_.begin(), around_.end());
      for (std::uint64_t p = id; p <= id + (names_.empty() ? 0 : overflow(id)); ++p)
        pages.insert(p);
    }
  }
  std::uint64_t overflow(std::uint64_t id) const {
    return load_le<std::uint32_t>(image_.page_bytes(id) + 12);
  }

  const Image& image_;
  std::vector<std::string> names_;
  std::vector<std::uint64_t> around_;
  std::uint64_t current_ = 0;
};

/// What a sound image holds, to judge what salvage makes of a damaged copy of it.
class Truth {
 public:
  explicit Truth(const std::string& image) : image_(image) {
    truss::testing::SimFileSystem fs;
    must(must(fs.open("/db", {.write = true, .create = true}))->pwrite(image, 0));
    all_ = pairs_in(fs, "/db");
    const Image sound = must(Image::open(fs, "/db", {}));
    leaves_ = std::move(PagesOf(sound).leaves);
    for (const auto& [name, value] : all_) bare_.insert(bare(name) + value);
  }

  /// Pairs that aren't on `destroyed` and yet aren't in `salvaged`: the first, or "". Of those on
  /// the pages `excused` (all of them) a pair may be lost or have an older value.
  std::string missing(const Pairs& salvaged, std::uint64_t destroyed,
                      const std::set<std::uint64_t>& excused = {}) const {
    for (const auto& [key, on] : leaves_) {
      if (on.contains(destroyed)) continue;
      if (std::ranges::any_of(on, [&](std::uint64_t page) { return excused.contains(page); })) {
        continue;
      }
      const auto found = salvaged.find(key);
      if (found == salvaged.end()) return key + " is lost";
      if (found->second != all_.at(key)) return key + " has another value";
    }
    return {};
  }

  /// The first pair of a salvaged `damaged` that never was, or that is no longer and yet isn't
  /// reported, or "". What the bytes of page `destroyed` say now is no invention.
  std::string invented(const Answers& answers, const std::string& damaged,
                       std::uint64_t destroyed) const {
    for (const auto& [name, value] : answers.salvaged) {
      const auto known = all_.find(name);
      if (known != all_.end() && known->second == value) continue;
      const std::string bytes = bare(name) + value;
      // The bucket's name may be what was damaged.
      if (known == all_.end() && bare_.contains(bytes)) continue;
      const auto on = leaves_.find(name);
      if (on != leaves_.end() && on->second.contains(destroyed)) continue;
      if (on_page(damaged, destroyed, bytes)) continue;
      if (answers.salvage == 0) return name + " is not of this state, and nothing is said of it";
      if (damaged.find(bytes) == std::string::npos) return name + " is nowhere in the file";
    }
    return {};
  }

  /// Pages with the pairs below page `id`, without what they refer to as buckets.
  std::set<std::uint64_t> leaves_below(std::uint64_t id) const {
    const char* page = image_.data() + id * 1024;
    if (load_le<std::uint16_t>(page + 8) == bolt::kLeafFlag) return {id};
    std::set<std::uint64_t> out;
    for (std::uint32_t i = 0; i < load_le<std::uint16_t>(page + 10); ++i) {
      out.merge(leaves_below(load_le<std::uint64_t>(page + 16 + std::size_t{16} * i + 8)));
    }
    return out;
  }

  /// The page that a branch refers to by the number that holds this byte of the file, if any.
  std::optional<std::uint64_t> child_at(std::size_t byte) const {
    const char* page = image_.data() + byte / 1024 * 1024;
    const std::size_t at = byte % 1024;
    if (load_le<std::uint16_t>(page + 8) != bolt::kBranchFlag || at < 24) return std::nullopt;
    const std::size_t element = (at - 16) / 16;
    if (at % 16 < 8 || element >= load_le<std::uint16_t>(page + 10)) return std::nullopt;
    return load_le<std::uint64_t>(page + 16 + 16 * element + 8);
  }

 private:
  static std::string bare(const std::string& name) { return name.substr(name.find('#') + 1); }
  static bool on_page(const std::string& image, std::uint64_t id, const std::string& bytes) {
    if (id * 1024 >= image.size()) return false;
    return image.substr(id * 1024, 2048).find(bytes) != std::string::npos;
  }

  const std::string image_;
  Pairs all_;
  std::map<std::string, std::set<std::uint64_t>> leaves_;
  std::set<std::string> bare_;  ///< keys and values, without the bucket
};

}  // namespace truss::bolttool::testing
