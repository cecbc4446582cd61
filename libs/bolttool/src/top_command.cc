#include <absl/container/flat_hash_map.h>

#include <algorithm>

#include "census.h"
#include "commands.h"
#include "etcd.h"
#include "truss/schema/key_value.h"
#include "truss/schema/revision.h"

// top: what fills the file. Every byte of it is in exactly one row, so the rows add up to its size.
namespace truss::bolttool {
namespace {

struct Wanted {
  std::string file;
  std::string by = "prefix";
  std::uint64_t rows = 20;
  std::uint64_t depth = 1;
  std::int64_t slot = -1;
};

/// Bytes of elements with key and value.
struct Weight {
  std::uint64_t live = 0;     ///< newest revisions of keys that are there
  std::uint64_t history = 0;  ///< older revisions, and all of deleted keys
  std::uint64_t keys = 0;     ///< that are there
  std::uint64_t revisions = 0;

  std::uint64_t total() const { return live + history; }
  void add(const Weight& other) {
    live += other.live;
    history += other.history;
    keys += other.keys;
    revisions += other.revisions;
  }
};

/// One key of the store, met from its newest revision to its oldest.
struct KeyState {
  bool deleted = false;
  Weight weight;
};

struct Row {
  std::string name;
  Weight weight;
};

using Rows = std::vector<Row>;

std::uint64_t element_bytes(const bolt::KeyValue& kv) {
  return bolt::kElementBytes + kv.key.size() + kv.value.size();
}

/// `/registry/pods` of `/registry/pods/a/b` for two parts.
ByteView prefix_of(ByteView key, std::uint64_t parts) {
  std::size_t at = key.starts_with('/') ? 1 : 0;
  for (std::uint64_t i = 0; i < parts; ++i) {
    const std::size_t slash = key.find('/', at);
    if (slash == ByteView::npos) return key.substr(0, std::max<std::size_t>(at, 0));
    at = slash + 1;
  }
  return key.substr(0, at);
}

/// Reads etcd's bucket `key` from the newest revision to the oldest. Views point into the mapping.
class KeyScan {
 public:
  using Seen = std::function<void(const schema::DecodedRevision&, ByteView key, bool live,
                                  std::uint64_t bytes)>;

  Result<> run(const Image& image, const FoundBucket& bucket, const Seen& seen) {
    std::optional<Error> bad;
    auto walked = for_each_pair(image, bucket, true, [&](const bolt::KeyValue& kv) {
      auto revision = schema::decode_revision(kv.key);
      auto record = schema::decode_key_value(kv.value);
      if (!revision || !record) {
        other += element_bytes(kv);
        return true;
      }
      KeyState& state = keys[record->key];
      const bool newest = state.weight.revisions++ == 0;
      if (newest) state.deleted = revision->tombstone;
      const bool live = newest && !revision->tombstone;
      (live ? state.weight.live : state.weight.history) += element_bytes(kv);
      state.weight.keys = live ? 1 : state.weight.keys;
      if (seen) seen(*revision, record->key, live, element_bytes(kv));
      return true;
    });
    return walked;
  }

  absl::flat_hash_map<ByteView, KeyState> keys;
  std::uint64_t other = 0;  ///< bytes of pairs that are no revisions
};

Rows by_prefix(const KeyScan& scan, std::uint64_t depth) {
  absl::flat_hash_map<ByteView, Weight> sums;
  for (const auto& [key, state] : scan.keys) sums[prefix_of(key, depth)].add(state.weight);
  Rows rows;
  for (const auto& [prefix, weight] : sums) {
    rows.push_back({prefix.empty() ? "(keys without /)" : tool::printable(prefix), weight});
  }
  return rows;
}

Rows by_versions(const KeyScan& scan) {
  Rows rows;
  for (const auto& [key, state] : scan.keys) {
    rows.push_back({tool::printable(key) + (state.deleted ? " (deleted)" : ""), state.weight});
  }
  return rows;
}

/// Tenths of the revisions, the newest first.
class Ages {
 public:
  explicit Ages(std::int64_t newest) : newest_(std::max<std::int64_t>(newest, 1)) {
    for (std::int64_t i = 0; i < kParts; ++i) {
      rows_.push_back({"revisions " + std::to_string(first(i)) + " to " +
                           std::to_string(i == 0 ? newest_ : first(i - 1) - 1),
                       {}});
    }
  }
  void add(std::int64_t revision, bool live, std::uint64_t bytes) {
    const std::int64_t back = std::clamp<std::int64_t>(newest_ - revision, 0, newest_ - 1);
    const auto part = std::min<std::int64_t>(back * kParts / newest_, kParts - 1);
    Weight& w = rows_[static_cast<std::size_t>(part)].weight;
    (live ? w.live : w.history) += bytes;
    w.keys += live ? 1U : 0U;
    ++w.revisions;
  }
  Rows rows() const { return rows_; }

 private:
  static constexpr std::int64_t kParts = 10;
  std::int64_t first(std::int64_t part) const {
    // The lowest revision whose distance from the newest falls into `part`.
    if (part == kParts - 1) return std::min<std::int64_t>(1, newest_);
    const std::int64_t most_back = ((part + 1) * newest_ + kParts - 1) / kParts - 1;
    return newest_ - most_back;
  }
  std::int64_t newest_;
  Rows rows_;
};

Rows by_bucket(const Census& census, std::uint64_t page_size) {
  Rows rows;
  for (const BucketUse& use : census.buckets) {
    if (use.path.empty()) continue;
    Weight w;
    w.live = use.pages() * page_size;
    w.keys = use.pairs;
    w.revisions = use.pairs;
    rows.push_back({shown_path(use.path), w});
  }
  return rows;
}

/// Sorted by `order`, the small ones in one row.
Rows largest(Rows rows, std::uint64_t most, bool by_count) {
  std::sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
    const auto x = by_count ? a.weight.revisions : a.weight.total();
    const auto y = by_count ? b.weight.revisions : b.weight.total();
    return x != y ? x > y : a.name < b.name;
  });
  if (most == 0 || rows.size() <= most) return rows;
  Row rest{"(" + std::to_string(rows.size() - most) + " others)", {}};
  for (std::size_t i = most; i < rows.size(); ++i) rest.weight.add(rows[i].weight);
  rows.resize(most);
  rows.push_back(std::move(rest));
  return rows;
}

Row overhead(std::string name, std::uint64_t bytes) {
  Row row{std::move(name), {}};
  row.weight.live = bytes;
  return row;
}

/// The rows for all that no key or bucket stands for.
Rows remainder(const Image& image, const Census& census, std::uint64_t counted) {
  const std::uint64_t size = image.page_size();
  Rows rows;
  const auto add = [&](const char* name, std::uint64_t bytes) {
    counted += bytes;
    if (bytes > 0) rows.push_back(overhead(name, bytes));
  };
  add("(free pages)", census.free_pages * size);
  add("(freelist)", census.freelist_pages * size);
  add("(lost pages)", census.lost_pages * size);
  add("(meta pages)", 2 * size);
  const std::uint64_t end = image.view().page_limit * size;
  add("(past the high-water mark)", image.file_bytes() > end ? image.file_bytes() - end : 0);
  if (image.file_bytes() > counted) {
    rows.push_back(overhead("(rest of tree pages)", image.file_bytes() - counted));
  }
  return rows;
}

Result<Rows> measured_rows(const Image& image, const Census& census, const Wanted& wanted) {
  if (wanted.by == "bucket")
    return largest(by_bucket(census, image.page_size()), wanted.rows, false);
  TRUSS_ASSIGN(const FoundBucket bucket, find_bucket(image, {"key"}));
  KeyScan scan;
  std::optional<Ages> ages;
  TRUSS_TRY(
      scan.run(image, bucket,
               [&](const schema::DecodedRevision& r, ByteView, bool live, std::uint64_t bytes) {
                 if (wanted.by != "age") return;
                 if (!ages) ages.emplace(r.revision.main);
                 ages->add(r.revision.main, live, bytes);
               }));
  Rows rows;
  if (wanted.by == "age") {
    rows = ages ? ages->rows() : Rows{};
  } else {
    const bool versions = wanted.by == "versions";
    rows = largest(versions ? by_versions(scan) : by_prefix(scan, wanted.depth), wanted.rows,
                   versions);
  }
  if (scan.other > 0) rows.push_back(overhead("(no revisions)", scan.other));
  std::uint64_t others = 0;
  for (const BucketUse& use : census.buckets) {
    if (!use.path.empty() && use.path[0] != "key") others += use.pages() * image.page_size();
  }
  if (others > 0) rows.push_back(overhead("(other buckets)", others));
  return rows;
}

tool::Table empty_table(bool revisions) {
  if (!revisions) return tool::Table({{"what", "name"}, {"bytes", "bytes"}, {"pairs", "pairs"}});
  return tool::Table({{"what", "name"},
                      {"bytes", "bytes"},
                      {"live", "liveBytes"},
                      {"history", "historyBytes"},
                      {"keys", "keys"},
                      {"revisions", "revisions"}});
}

void show(const Rows& rows, const Image& image, bool revisions, tool::Format format,
          tool::Console& console) {
  tool::Table table = empty_table(revisions);
  std::uint64_t sum = 0;
  for (const Row& row : rows) {
    const Weight& w = row.weight;
    sum += w.total();
    if (revisions) {
      table.add({row.name, w.total(), w.live, w.history, w.keys, w.revisions});
    } else {
      table.add({row.name, w.total(), w.keys});
    }
  }
  if (format == tool::Format::kJson) {
    std::string text;
    tool::JsonWriter json(text);
    json.begin_object().field("fileBytes", image.file_bytes()).field("sum", sum).key("rows");
    table.write_json(json);
    json.end_object();
    console.out << text << "\n";
    return;
  }
  console.out << table.render(format) << "file of " << image.file_bytes() << " bytes, "
              << tool::human_bytes(image.file_bytes()) << "\n";
}

Result<int> run_top(const Image& image, const Wanted& wanted, tool::Format format,
                    tool::Console& console) {
  const Census census = take_census(image);
  if (census.faults > 0) return fail(Code::kCorruption, census.first_fault);
  TRUSS_ASSIGN(Rows rows, measured_rows(image, census, wanted));
  std::uint64_t counted = 0;
  for (const Row& row : rows) counted += row.weight.total();
  const Rows rest = remainder(image, census, counted);
  rows.insert(rows.end(), rest.begin(), rest.end());
  show(rows, image, wanted.by != "bucket", format, console);
  return tool::kFine;
}

}  // namespace

void add_top(tool::Command& root, Environment& env) {
  auto wanted = std::make_shared<Wanted>();
  tool::Command& command =
      root.command("top", "what fills the file: live data, history, free space");
  command
      .describe(
          "By prefix (the first parts of etcd's keys), by bucket, by age (tenths of the revisions) "
          "or by versions (keys with most revisions in the file). Each byte of the file is in one "
          "row: the rows add up to its size. live: what a compaction of all history would leave.")
      .argument("FILE", "bolt file or data directory", &wanted->file, tool::Hint::kFile)
      .choice("--by", "WHAT", "what makes a row", &wanted->by,
              {"prefix", "bucket", "age", "versions"})
      .option("--depth", "N", "parts of a prefix, which end with /", &wanted->depth)
      .option("--rows", "N", "rows at most, the rest in one; 0: all", &wanted->rows)
      .example("Which kinds of objects fill a Kubernetes db:", "boltctl top db --depth 2")
      .example("Keys that are written most:", "boltctl top db --by versions --rows 10")
      .run([&env, wanted](tool::Console& console) {
        return with_image(env, console, wanted->file,
                          [&](const Image& image) {
                            return run_top(image, *wanted, env.output.format(), console);
                          },
                          {.slot = static_cast<int>(wanted->slot)});
      });
  add_state_option(command, &wanted->slot);
}

}  // namespace truss::bolttool
