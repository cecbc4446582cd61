#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "census.h"
#include "commands.h"
#include "output_file.h"
#include "svg.h"
#include "truss/schema/key_value.h"
#include "truss/schema/revision.h"

// plot: a map of the file, page by page from the top left, as an SVG picture.
namespace truss::bolttool {
namespace {

struct Wanted {
  std::string file;
  std::string to;
  bool force = false;
  std::int64_t slot = -1;
};

enum Kind : std::uint8_t {
  kMetaPages,
  kBranches,
  kLive,
  kHistory,
  kOverflow,
  kFreelist,
  kFree,
  kLost,
  kKinds
};

struct Style {
  const char* name;
  const char* color;
};
constexpr std::array<Style, kKinds> kStyles = {{{"meta", "#000000"},
                                                {"branch", "#8e44ad"},
                                                {"live", "#2e86de"},
                                                {"history", "#e67e22"},
                                                {"overflow", "#76b5f5"},
                                                {"freelist", "#c0392b"},
                                                {"free", "#e3e3e3"},
                                                {"lost", "#ff00aa"}}};

/// Pages of etcd's bucket `key` most of whose bytes are older revisions or deleted keys.
std::vector<bool> history_pages(const Image& image, std::uint64_t pages) {
  std::vector<bool> out(pages);
  const auto bucket = find_bucket(image, {"key"});
  if (!bucket || bucket->root == 0) return out;
  std::vector<std::int64_t> balance(pages);
  absl::flat_hash_set<ByteView> seen;
  const auto walked = for_each_pair(image, *bucket, true, [&](const bolt::KeyValue& kv) {
    const auto revision = schema::decode_revision(kv.key);
    const auto record = schema::decode_key_value(kv.value);
    const auto offset = static_cast<std::uint64_t>(kv.key.data() - image.view().base);
    const std::uint64_t page = offset / image.page_size();
    if (!revision || !record || page >= pages) return true;
    const bool live = seen.insert(record->key).second && !revision->tombstone;
    const auto bytes = static_cast<std::int64_t>(kv.key.size() + kv.value.size());
    balance[page] += live ? bytes : -bytes;
    return true;
  });
  if (!walked) return out;
  for (std::uint64_t i = 0; i < pages; ++i) out[i] = balance[i] < 0;
  return out;
}

std::vector<Kind> kinds_of(const Image& image, const Census& census) {
  constexpr Kind kByUse[] = {kFree, kMetaPages, kFreelist, kLive, kBranches, kOverflow, kLost};
  const std::vector<bool> history = history_pages(image, census.pages.size());
  std::vector<Kind> out;
  out.reserve(census.pages.size());
  for (std::size_t i = 0; i < census.pages.size(); ++i) {
    const Kind kind = kByUse[static_cast<std::size_t>(census.pages[i])];
    out.push_back(kind == kLive && history[i] ? kHistory : kind);
  }
  return out;
}

/// The kind that most pages of [first, last) have.
Kind most_common(const std::vector<Kind>& kinds, std::size_t first, std::size_t last) {
  std::array<std::size_t, kKinds> counts{};
  for (std::size_t i = first; i < last; ++i) ++counts[kinds[i]];
  return static_cast<Kind>(std::max_element(counts.begin(), counts.end()) - counts.begin());
}

void draw_legend(Svg& svg, const std::vector<Kind>& kinds, const Image& image, double top) {
  std::array<std::uint64_t, kKinds> counts{};
  for (const Kind kind : kinds) ++counts[kind];
  double x = 10;
  for (std::size_t k = 0; k < kKinds; ++k) {
    if (counts[k] == 0) continue;
    svg.rectangle(x, top, 12, 12, kStyles[k].color);
    const std::string words =
        std::string(kStyles[k].name) + " " + tool::human_bytes(counts[k] * image.page_size());
    svg.text(x + 17, top + 11, words);
    x += 32 + 7.0 * static_cast<double>(words.size());
  }
}

std::string draw_map(const Image& image, const Census& census) {
  constexpr std::size_t kMostCells = 24000, kColumns = 200;
  constexpr double kCell = 5;
  const std::vector<Kind> kinds = kinds_of(image, census);
  const std::size_t group = kinds.size() / kMostCells + 1;
  const std::size_t cells = (kinds.size() + group - 1) / group;
  const std::size_t rows = (cells + kColumns - 1) / kColumns;
  Svg svg(static_cast<int>(kColumns * kCell + 20),
          static_cast<int>(static_cast<double>(rows) * kCell + 70));
  svg.text(10, 20,
           std::to_string(kinds.size()) + " pages of " + std::to_string(image.page_size()) +
               " bytes, " + std::to_string(group) + " a cell");
  draw_legend(svg, kinds, image, 32);
  for (std::size_t cell = 0; cell < cells;) {
    const auto kind_at = [&](std::size_t c) {
      return most_common(kinds, c * group, std::min(kinds.size(), (c + 1) * group));
    };
    const Kind kind = kind_at(cell);
    std::size_t end = cell + 1;  // neighbours of one kind in a row make one rectangle
    while (end < cells && end % kColumns != 0 && kind_at(end) == kind) ++end;
    svg.rectangle(10 + kCell * static_cast<double>(cell % kColumns),
                  56 + kCell * static_cast<double>(cell / kColumns),
                  kCell * static_cast<double>(end - cell), kCell, kStyles[kind].color);
    cell = end;
  }
  return svg.finish();
}

Result<int> run_plot(Environment& env, const Image& image, const Wanted& wanted,
                     tool::Console& console) {
  const Census census = take_census(image);
  const std::string picture = draw_map(image, census);
  if (wanted.to.empty()) {
    console.out << picture;
    return tool::kFine;
  }
  if (exists(env.fs, wanted.to) && !wanted.force) {
    return fail(Code::kFailedPrecondition, wanted.to + " is there already: --force replaces it");
  }
  TRUSS_ASSIGN(Replacement out, Replacement::begin(env.fs, wanted.to));
  TRUSS_TRY(out.file().pwrite(picture, 0));
  TRUSS_TRY(out.commit(wanted.to, {}));
  return tool::kFine;
}

}  // namespace

void add_plot(tool::Command& root, Environment& env) {
  auto wanted = std::make_shared<Wanted>();
  tool::Command& command =
      root.command("plot", "draw a map of the file: live data, history, overflow, free pages");
  command
      .describe(
          "An SVG picture, page by page from the top left. For the growth of a file and its "
          "freelist "
          "over a run see bench --svg.")
      .argument("FILE", "bolt file or data directory", &wanted->file, tool::Hint::kFile)
      .option("--to", "FILE", "write the picture there; otherwise to standard output", &wanted->to,
              tool::Hint::kFile)
      .flag("--force", "with --to: replace a file that is there", &wanted->force)
      .example("Where the free space lies:", "boltctl plot db --to db.svg")
      .run([&env, wanted](tool::Console& console) {
        return with_image(
            env, console, wanted->file,
            [&](const Image& image) { return run_plot(env, image, *wanted, console); },
            {.slot = static_cast<int>(wanted->slot)});
      });
  add_state_option(command, &wanted->slot);
}

}  // namespace truss::bolttool
