#include <charconv>

#include "census.h"
#include "commands.h"
#include "output_file.h"
#include "truss/bolttool/compact.h"

namespace truss::bolttool {
namespace {

struct Wanted {
  std::string file;
  OutputFile out;
  std::uint64_t page_size = 0;
  double fill = 0.9;
  std::string freelist;
  bool no_verify = false;

  CompactOptions options(const Environment& env) const {
    CompactOptions options;
    options.page_size = static_cast<std::uint32_t>(page_size);
    options.fill = fill;
    if (!freelist.empty()) options.store_freelist = freelist == "synced";
    options.verify = !no_verify;
    options.threads = env.threads;
    return options;
  }
};

Result<> check_numbers(const Wanted& wanted) {
  if (wanted.page_size != 0 && !bolt::valid_page_size(wanted.page_size)) {
    return fail(Code::kInvalidArgument, "--page-size " + std::to_string(wanted.page_size) +
                                            " is not a power of two in [1024, 65536]");
  }
  if (wanted.fill >= 0.1 && wanted.fill <= 1.0) return {};
  return fail(Code::kInvalidArgument, "--fill must lie in [0.1, 1.0]");
}

/// What the result will be about: all that is used, at the fill asked for.
void show_plan(const Image& image, const Wanted& wanted, tool::Format format,
               tool::Console& console) {
  const Census census = take_census(image);
  std::uint64_t used = 0;
  for (const BucketUse& use : census.buckets) used += use.leaf_used + use.branch_used;
  tool::Record record;
  record.add("would compact", "file", image.path())
      .add("bytes now", "oldBytes", image.file_bytes())
      .add("bytes then, about", "newBytes",
           static_cast<std::uint64_t>(static_cast<double>(used) / wanted.fill) +
               4 * image.page_size())
      .add("free pages given back", "freePages", census.free_pages);
  console.out << record.render(format);
}

Result<int> run_compact(Environment& env, const Wanted& wanted, tool::Console& console) {
  TRUSS_TRY(check_numbers(wanted));
  if (wanted.out.dry_run) {
    TRUSS_ASSIGN(const Image image, Image::open(env.fs, wanted.file, {}));
    show_plan(image, wanted, env.output.format(), console);
    return tool::kFine;
  }
  CompactReport report;
  const auto copy = [&](const std::string& path, Replacement& result) -> Result<> {
    TRUSS_ASSIGN(const Image image, Image::open(env.fs, path, {}));
    CompactOptions options = wanted.options(env);
    tool::Progress progress(console, env.clock, !env.output.no_progress, "compacting",
                            image.view().page_limit * image.page_size());
    options.progress = [&](std::uint64_t bytes) { progress.update(bytes); };
    TRUSS_ASSIGN(report, compact(image, result.file(), result.path(), options));
    if (!wanted.out.in_place && image.moved_on()) {
      return fail(Code::kUnavailable, "bolt " + path + ": written to meanwhile" + image.holders() +
                                          ": compact a snapshot, or stop the writer");
    }
    return {};
  };
  TRUSS_ASSIGN(const Written written, write_output(env, wanted.file, wanted.out, copy));
  tool::Record record;
  record.add("compacted", "file", written.path)
      .add("bytes before", "oldBytes", report.old_bytes)
      .add("bytes after", "newBytes", report.new_bytes)
      .add("pairs", "pairs", report.pairs);
  if (!written.original.empty()) record.add("original", "original", written.original);
  console.out << record.render(env.output.format());
  return tool::kFine;
}

}  // namespace

void add_compact(tool::Command& root, Environment& env) {
  auto wanted = std::make_shared<Wanted>();
  tool::Command& command =
      root.command("compact", "write a file anew, without free pages and with full ones");
  command
      .describe(
          "The result is filled under a temporary name beside its place, checked, compared with "
          "the "
          "original, synced and moved to its name: a kill or power failure at any instant leaves "
          "the old file or the new one. It keeps owner and mode.")
      .argument("FILE", "bolt file or data directory", &wanted->file, tool::Hint::kFile);
  wanted->out.add_to(command);
  command.option("--page-size", "BYTES", "of the result; 0: as it was", &wanted->page_size)
      .option("--fill", "SHARE", "share of each page that is filled", &wanted->fill)
      .choice("--freelist", "FORM",
              "whether the result stores its free pages; as it was if not said", &wanted->freelist,
              {"synced", "unsynced"})
      .flag("--no-verify", "don't read the result back", &wanted->no_verify)
      .example("A stopped member's db, the old one kept as db.original:",
               "boltctl compact --in-place /var/lib/etcd/default")
      .example("A small copy of a snapshot:", "boltctl compact backup.db --to small.db")
      .run([&env, wanted](tool::Console& console) {
        auto code = run_compact(env, *wanted, console);
        return code ? *code : failed(console, code.error());
      });
}

}  // namespace truss::bolttool
