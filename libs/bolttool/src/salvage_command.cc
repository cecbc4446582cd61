#include "commands.h"
#include "output_file.h"
#include "truss/bolttool/salvage.h"

namespace truss::bolttool {
namespace {

struct Wanted {
  std::string file;
  OutputFile out;
  bool no_stale = false;
  std::uint64_t page_size = 0;
};

tool::Record summary(const SalvageReport& r) {
  tool::Record record;
  record.add("pairs written", "pairs", r.pairs)
      .add("buckets written", "buckets", r.buckets)
      .add("sound pages", "soundPages", r.sound_pages)
      .add("damaged pages read in part", "mendedPages", r.mended_pages)
      .add("elements lost in them", "lostElements", r.lost_elements)
      .add("gaps that nothing filled", "openGaps", r.open_gaps)
      .add("pages that nothing refers to, used", "orphanPages", r.orphan_pages)
      .add("pairs from them, perhaps old", "orphanPairs", r.orphan_pairs)
      .add("keys of them with several values", "conflicts", r.conflicts)
      .add("such pages not used", "unusedOrphans", r.unused_orphans)
      .add("whole", "whole", r.whole());
  return record;
}

void show(const SalvageReport& r, tool::Format format, tool::Console& console) {
  if (format != tool::Format::kJson) {
    console.out << summary(r).render(format);
    for (const auto& note : r.notes) {
      console.out << "page " << note.page;
      if (!note.bucket.empty()) console.out << ", bucket " << note.bucket;
      console.out << ": " << note.what << "\n";
    }
    if (r.notes_left_out > 0) console.out << "... and " << r.notes_left_out << " more\n";
    if (r.homeless) console.out << "no top level was found: buckets are guessed\n";
    return;
  }
  std::string text;
  tool::JsonWriter json(text);
  json.begin_object();
  summary(r).write_fields(json);
  json.key("notes").begin_array();
  for (const auto& note : r.notes) {
    json.begin_object()
        .field("page", note.page)
        .field("bucket", note.bucket)
        .field("what", note.what);
    json.end_object();
  }
  json.end_array()
      .field("notesLeftOut", r.notes_left_out)
      .field("homeless", r.homeless)
      .end_object();
  console.out << text << "\n";
}

Result<int> run_salvage(Environment& env, const Wanted& wanted, tool::Console& console) {
  SalvageReport report;
  const auto write = [&](const std::string& path, Replacement& result) -> Result<> {
    TRUSS_ASSIGN(const Image image,
                 Image::open(env.fs, path,
                             {.pages_only = true,
                              .page_size = static_cast<std::uint32_t>(wanted.page_size)}));
    tool::Progress progress(console, env.clock, !env.output.no_progress, "salvaging",
                            image.file_bytes());
    SalvageOptions options;
    options.stale = !wanted.no_stale;
    options.progress = [&](std::uint64_t pages) { progress.update(pages * image.page_size()); };
    TRUSS_ASSIGN(report, salvage(image, result.file(), result.path(), options));
    return {};
  };
  if (wanted.out.dry_run) {
    const std::string path = db_path(env.fs, wanted.file);
    TRUSS_ASSIGN(Replacement scratch,
                 Replacement::begin(env.fs, wanted.out.to.empty() ? path : wanted.out.to));
    TRUSS_TRY(write(path, scratch));
  } else {
    TRUSS_ASSIGN(const Written written, write_output(env, wanted.file, wanted.out, write));
    console.err << "boltctl: written " << written.path << "\n";
  }
  show(report, env.output.format(), console);
  return report.whole() ? tool::kFine : tool::kFoundWrong;
}

}  // namespace

void add_salvage(tool::Command& root, Environment& env) {
  auto wanted = std::make_shared<Wanted>();
  tool::Command& command =
      root.command("salvage", "gather all that can be read of a damaged file into a fresh one");
  command
      .describe(
          "Walks the tree as far as it goes, reads damaged leaf pages element by element, and "
          "fills "
          "the gaps below lost pages with leaf pages of the whole file whose keys fit. Those may "
          "be "
          "of an older state: the report says which keys came from them. Exit code 0 if nothing "
          "was "
          "wrong, 1 if the report has losses.")
      .argument("FILE", "bolt file or data directory", &wanted->file, tool::Hint::kFile);
  wanted->out.add_to(command);
  command.flag("--no-stale", "fill no gaps with pages that nothing refers to", &wanted->no_stale)
      .option("--page-size", "BYTES", "if both meta pages are lost; 0: guess", &wanted->page_size)
      .example("What is left of a db that etcd panics on:",
               "boltctl salvage member/snap/db --to salvaged.db")
      .run([&env, wanted](tool::Console& console) {
        auto code = run_salvage(env, *wanted, console);
        return code ? *code : failed(console, code.error());
      });
}

}  // namespace truss::bolttool
