#include "census.h"
#include "commands.h"

namespace truss::bolttool {
namespace {

struct Wanted {
  std::string file;
  std::int64_t slot = -1;
};

std::string percent(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return "";
  char text[16];
  std::snprintf(text, sizeof text, "%.1f %%",
                100.0 * static_cast<double>(part) / static_cast<double>(whole));
  return text;
}

std::string name_of(const BucketUse& use) {
  return use.path.empty() ? "(top level)" : shown_path(use.path);
}

tool::Table bucket_table(const Census& census) {
  tool::Table table({{"bucket", "bucket"},
                     {"kind", "kind"},
                     {"root", "root"},
                     {"sequence", "sequence"},
                     {"pairs", "pairs"},
                     {"buckets", "buckets"},
                     {"levels", "levels"},
                     {"pages", "pages"},
                     {"key bytes", "keyBytes"},
                     {"value bytes", "valueBytes"}});
  for (const BucketUse& use : census.buckets) {
    table.add({name_of(use), std::string(use.root == 0 ? "inline" : "paged"), use.root,
               use.sequence, use.pairs, use.buckets, std::int64_t{use.levels}, use.pages(),
               use.key_bytes, use.value_bytes});
  }
  return table;
}

/// Sums over the tree.
struct Totals {
  std::uint64_t pairs = 0, leaf = 0, branch = 0, overflow = 0, leaf_used = 0, branch_used = 0;
  std::uint64_t inlined = 0, inline_bytes = 0, buckets = 0;
  int levels = 0;

  explicit Totals(const Census& census) : buckets(census.buckets.size() - 1) {
    for (const BucketUse& use : census.buckets) {
      pairs += use.pairs;
      leaf += use.leaf_pages;
      branch += use.branch_pages;
      overflow += use.overflow_pages;
      leaf_used += use.leaf_used;
      branch_used += use.branch_used;
      inlined += use.root == 0 ? 1U : 0U;
      inline_bytes += use.inline_bytes;
      levels = std::max(levels, use.levels);
    }
  }
};

std::uint64_t longest(const std::vector<bolt::Run>& runs) {
  std::uint64_t most = 0;
  for (const bolt::Run run : runs) most = std::max(most, run.count);
  return most;
}

tool::Record totals(const Image& image, const Census& census) {
  const Totals t(census);
  const std::uint64_t room = (t.leaf + t.branch + t.overflow) * image.page_size();
  tool::Record record;
  record.add("file bytes", "fileBytes", image.file_bytes())
      .add("page size", "pageSize", image.page_size())
      .add("pages", "pages", image.meta().high_water)
      .add("reachable pages, meta pages included", "reachablePages", census.reachable_pages + 2)
      .add("leaf pages", "leafPages", t.leaf)
      .add("branch pages", "branchPages", t.branch)
      .add("overflow pages", "overflowPages", t.overflow)
      .add("freelist pages", "freelistPages", census.freelist_pages)
      .add("free pages", "freePages", census.free_pages)
      .add("free runs", "freeRuns", std::uint64_t{census.free_runs.size()})
      .add("longest free run", "longestFreeRun", longest(census.free_runs))
      .add("lost pages", "lostPages", census.lost_pages)
      .add("buckets", "buckets", t.buckets)
      .add("inline buckets", "inlineBuckets", t.inlined)
      .add("pairs", "pairs", t.pairs)
      .add("levels of the deepest tree", "levels", std::int64_t{t.levels})
      .add("leaf bytes used", "leafUsedBytes", t.leaf_used)
      .add("branch bytes used", "branchUsedBytes", t.branch_used)
      .add("tree pages filled", "fillPercent", percent(t.leaf_used + t.branch_used, room))
      .add("file that is tree", "treePercent",
           percent(census.reachable_pages * image.page_size(), image.file_bytes()));
  return record;
}

int verdict(const Census& census, tool::Console& console) {
  if (census.faults == 0) return tool::kFine;
  console.err << "boltctl: " << census.faults << (census.faults == 1 ? " fault" : " faults")
              << ", what lies behind is not counted: " << census.first_fault << "\n";
  return tool::kFoundWrong;
}

using Show = std::function<std::string(const Image&, const Census&)>;

void add(tool::Command& command, Environment& env, const Show& show) {
  auto wanted = std::make_shared<Wanted>();
  command.argument("FILE", "bolt file or data directory", &wanted->file, tool::Hint::kFile)
      .run([&env, wanted, show](tool::Console& console) {
        return with_image(env, console, wanted->file,
                          [&](const Image& image) -> Result<int> {
                            const Census census = take_census(image);
                            console.out << show(image, census);
                            return verdict(census, console);
                          },
                          {.slot = static_cast<int>(wanted->slot)});
      });
  add_state_option(command, &wanted->slot);
}

}  // namespace

void add_stats(tool::Command& root, Environment& env) {
  add(root.command("stats", "pages, fill, free space of the whole file")
          .example("How much a compaction would give back:", "boltctl stats db"),
      env, [&env](const Image& image, const Census& census) {
        return totals(image, census).render(env.output.format());
      });
  add(root.command("buckets", "every bucket with its pairs, pages and bytes, nested ones too")
          .example("Of an etcd db:", "boltctl buckets -o table member/snap/db"),
      env, [&env](const Image&, const Census& census) {
        return bucket_table(census).render(env.output.format());
      });
}

}  // namespace truss::bolttool
