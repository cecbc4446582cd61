#include <algorithm>
#include <bit>

#include "census.h"
#include "commands.h"
#include "output_file.h"
#include "truss/bolt/bolt.h"

namespace truss::bolttool {
namespace {

struct Wanted {
  std::string file;
  std::string form;
  OutputFile out;
  std::int64_t slot = -1;
  bool runs = false;
};

/// Runs by length: 1, 2-3, 4-7, ...
tool::Table histogram(const Census& census) {
  struct Class {
    std::uint64_t runs = 0, pages = 0;
  };
  std::vector<Class> classes(65);
  for (const bolt::Run run : census.free_runs) {
    Class& c = classes[static_cast<std::size_t>(std::bit_width(run.count))];
    ++c.runs;
    c.pages += run.count;
  }
  tool::Table table({{"run length", "length"}, {"runs", "runs"}, {"pages", "pages"}});
  for (std::size_t i = 1; i < classes.size(); ++i) {
    if (classes[i].runs == 0) continue;
    const std::uint64_t low = std::uint64_t{1} << (i - 1);
    const std::string name =
        i == 1 ? "1" : std::to_string(low) + " to " + std::to_string(2 * low - 1);
    table.add({name, classes[i].runs, classes[i].pages});
  }
  return table;
}

Result<int> show(const Image& image, const Wanted& wanted, tool::Format format,
                 tool::Console& console) {
  const Census census = take_census(image);
  if (census.faults > 0) return fail(Code::kCorruption, census.first_fault);
  const bool stored = image.meta().freelist != bolt::kNoFreelist;
  tool::Record record;
  record.add("stored in the file", "stored", stored)
      .add("page of the list", "page", stored ? image.meta().freelist : std::uint64_t{0})
      .add("pages of the list", "pages", census.freelist_pages)
      .add("free pages", "freePages", census.free_pages)
      .add("free bytes", "freeBytes", census.free_pages * image.page_size())
      .add("runs", "runs", std::uint64_t{census.free_runs.size()});
  tool::Table table =
      wanted.runs ? tool::Table({{"first page", "first"}, {"pages", "count"}}) : histogram(census);
  for (const bolt::Run run : census.free_runs) {
    if (wanted.runs) table.add({run.first, run.count});
  }
  if (format == tool::Format::kJson) {
    std::string text;
    tool::JsonWriter json(text);
    json.begin_object();
    record.write_fields(json);
    json.key(wanted.runs ? "list" : "histogram");
    table.write_json(json);
    json.end_object();
    console.out << text << "\n";
    return tool::kFine;
  }
  console.out << record.render(format) << "\n" << table.render(format);
  return tool::kFine;
}

/// Copies the file, then has the engine commit its freelist in the form asked for.
Result<int> convert(Environment& env, const Wanted& wanted, tool::Console& console) {
  const bool synced = wanted.form == "synced";
  if (wanted.out.dry_run) {
    TRUSS_ASSIGN(const Image image, Image::open(env.fs, wanted.file, {}));
    const bool stored = image.meta().freelist != bolt::kNoFreelist;
    console.out << "would make the freelist " << wanted.form
                << (stored == synced ? ", as it is already\n" : "\n");
    return tool::kFine;
  }
  const auto write = [&](const std::string& path, Replacement& result) -> Result<> {
    TRUSS_TRY(copy_file(env.fs, path, result.file()));
    return result.lend([&](const std::string& copy) -> Result<> {
      TRUSS_ASSIGN(auto db, bolt::DB::open(env.fs, copy, {.no_freelist_sync = !synced}));
      return db->rewrite_freelist();
    });
  };
  TRUSS_ASSIGN(const Written written, write_output(env, wanted.file, wanted.out, write));
  console.out << written.path << ": freelist " << wanted.form << "\n";
  return tool::kFine;
}

}  // namespace

void add_freelist(tool::Command& root, Environment& env) {
  tool::Command& freelist =
      root.command("freelist", "the free pages: show them, store them or not");
  freelist.example("How fragmented the free space is:", "boltctl freelist show db");
  auto list = std::make_shared<Wanted>();
  tool::Command& show_command =
      freelist.command("show", "how many free pages, in runs of which length");
  show_command.argument("FILE", "bolt file or data directory", &list->file, tool::Hint::kFile)
      .flag("--runs", "list every run", &list->runs)
      .example("How fragmented the free space is:", "boltctl freelist show db")
      .run([&env, list](tool::Console& console) {
        return with_image(
            env, console, list->file,
            [&](const Image& image) { return show(image, *list, env.output.format(), console); },
            {.slot = static_cast<int>(list->slot)});
      });
  add_state_option(show_command, &list->slot);

  auto wanted = std::make_shared<Wanted>();
  wanted->form = "unsynced";
  tool::Command& command =
      freelist.command("convert", "store the list of free pages in the file, or leave it out");
  command
      .describe(
          "synced: opening is quick, each commit writes the list. unsynced: the opposite. etcd "
          "leaves it out and takes either form; either way round nothing is lost.")
      .argument("FILE", "bolt file or data directory", &wanted->file, tool::Hint::kFile)
      .choice("--form", "FORM", "of the result", &wanted->form, {"synced", "unsynced"});
  wanted->out.add_to(command);
  command
      .example("For programs that open the file often:",
               "boltctl freelist convert db --form synced --in-place")
      .run([&env, wanted](tool::Console& console) {
        auto code = convert(env, *wanted, console);
        return code ? *code : failed(console, code.error());
      });
}

}  // namespace truss::bolttool
