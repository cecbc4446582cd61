#include "commands.h"
#include "output_file.h"
#include "truss/bolt/bolt.h"
#include "truss/bolt/check.h"
#include "truss/bolttool/surgery.h"

namespace truss::bolttool {
namespace {

struct Wanted {
  std::string file;
  OutputFile out;
  std::uint64_t from = 0, to = 0, page = 0, first = 0, last = 0, slot = 0;
  std::optional<std::uint64_t> root, freelist, high_water, txid;
  bool no_freelist = false;
};

using Cut = std::function<Result<>(Environment&, const Image&, const Wanted&, Replacement&)>;

/// What check says of the result, on stderr: surgery is seldom the last step.
void report_state(Environment& env, const std::string& path, tool::Console& console) {
  auto image = Image::open(env.fs, path, {});
  if (!image) {
    console.err << "boltctl: the result: " << image.error().message << "\n";
    return;
  }
  std::string first;
  const auto faults =
      bolt::check_state(image->view(), image->meta(), env.threads, [&](const std::string& fault) {
        if (first.empty()) first = fault;
      });
  if (faults == 0) {
    console.err << "boltctl: " << path << ": check finds no fault\n";
  } else {
    console.err << "boltctl: " << path << ": check finds " << faults << " faults: " << first
                << "\n";
  }
}

Result<int> operate(Environment& env, const Wanted& wanted, const Cut& cut,
                    tool::Console& console) {
  const auto write = [&](const std::string& path, Replacement& result) -> Result<> {
    TRUSS_ASSIGN(const Image image, Image::open(env.fs, path, {}));
    TRUSS_TRY(copy_file(env.fs, path, result.file()));
    return cut(env, image, wanted, result);
  };
  if (wanted.out.dry_run) {
    // The same work, and its result thrown away.
    const std::string path = db_path(env.fs, wanted.file);
    const std::string target = wanted.out.to.empty() ? path : wanted.out.to;
    TRUSS_ASSIGN(Replacement scratch, Replacement::begin(env.fs, target));
    TRUSS_TRY(write(path, scratch));
    report_state(env, scratch.path(), console);
    return tool::kFine;
  }
  TRUSS_ASSIGN(const Written written, write_output(env, wanted.file, wanted.out, write));
  console.out << "written " << written.path;
  if (!written.original.empty()) console.out << ", the original is " << written.original;
  console.out << "\n";
  report_state(env, written.path, console);
  return tool::kFine;
}

tool::Command& add(tool::Command& surgery, Environment& env, const char* name, const char* summary,
                   const std::shared_ptr<Wanted>& wanted, const Cut& cut) {
  tool::Command& command = surgery.command(name, summary);
  command.argument("FILE", "bolt file or data directory", &wanted->file, tool::Hint::kFile);
  wanted->out.add_to(command);
  command.run([&env, wanted, cut](tool::Console& console) {
    auto code = operate(env, *wanted, cut, console);
    return code ? *code : failed(console, code.error());
  });
  return command;
}

Result<> update_meta(const Image& image, const Wanted& w, File& file) {
  if (w.slot > 1) return fail(Code::kInvalidArgument, "there are meta pages 0 and 1 only");
  const MetaPage& page = image.metas()[w.slot];
  bolt::Meta meta = page.meta ? *page.meta : image.meta();
  meta.root = w.root.value_or(meta.root);
  meta.freelist = w.no_freelist ? bolt::kNoFreelist : w.freelist.value_or(meta.freelist);
  meta.high_water = w.high_water.value_or(meta.high_water);
  meta.txid = w.txid.value_or(meta.txid);
  return write_meta(file, meta, static_cast<int>(w.slot));
}

Result<> rebuild(Environment& env, const Image& image, Replacement& result) {
  TRUSS_TRY(abandon_freelist(image, result.file()));
  return result.lend([&](const std::string& path) -> Result<> {
    TRUSS_ASSIGN(auto db, bolt::DB::open(env.fs, path, {.no_freelist_sync = false}));
    return {};
  });
}

void add_page_cuts(tool::Command& surgery, Environment& env) {
  auto copy = std::make_shared<Wanted>();
  add(surgery, env, "copy-page", "write one page, and its overflow pages, over another", copy,
      [](Environment&, const Image& image, const Wanted& w, Replacement& result) {
        return copy_page(image, result.file(), w.from, w.to);
      })
      .option("--from", "PAGE", "page to copy", &copy->from)
      .option("--onto", "PAGE", "page to write over", &copy->to)
      .example("An older copy of a damaged page:",
               "boltctl surgery copy-page db --from 40 --onto 17 --to mended.db");

  auto clear = std::make_shared<Wanted>();
  add(surgery, env, "clear-elements", "take elements out of a leaf or branch page", clear,
      [](Environment&, const Image& image, const Wanted& w, Replacement& result) {
        return clear_elements(image, result.file(), w.page, w.first, w.last);
      })
      .option("--page", "PAGE", "page to change", &clear->page)
      .option("--first", "N", "first element to take out, from 0", &clear->first)
      .option("--last", "N", "one past the last of them", &clear->last)
      .example("The third and fourth element of page 17:",
               "boltctl surgery clear-elements db --page 17 --first 2 --last 4 --to mended.db");
}

void add_meta_cuts(tool::Command& surgery, Environment& env) {
  auto revert = std::make_shared<Wanted>();
  add(surgery, env, "revert-meta", "go back to the state before the last transaction", revert,
      [](Environment&, const Image& image, const Wanted&, Replacement& result) {
        return revert_meta(image, result.file());
      })
      .example("After a last transaction that did damage:",
               "boltctl surgery revert-meta db --to before.db");

  auto update = std::make_shared<Wanted>();
  add(surgery, env, "update-meta", "set fields of a meta page, and its checksum", update,
      [](Environment&, const Image& image, const Wanted& w, Replacement& result) {
        return update_meta(image, w, result.file());
      })
      .option("--meta", "PAGE", "meta page 0 or 1", &update->slot)
      .option("--root", "PAGE", "root of the top level", &update->root)
      .option("--freelist", "PAGE", "page of the freelist", &update->freelist)
      .flag("--no-freelist", "no freelist is stored", &update->no_freelist)
      .option("--high-water", "PAGE", "one past the last page", &update->high_water)
      .option("--txid", "N", "transaction", &update->txid)
      .example("A root found with `boltctl pages`:",
               "boltctl surgery update-meta db --meta 0 --root 12 --to mended.db");
}

void add_freelist_cuts(tool::Command& surgery, Environment& env) {
  auto abandon = std::make_shared<Wanted>();
  add(surgery, env, "abandon-freelist", "forget a stored freelist; free pages are found by a scan",
      abandon,
      [](Environment&, const Image& image, const Wanted&, Replacement& result) {
        return abandon_freelist(image, result.file());
      })
      .example("If check complains about free pages:",
               "boltctl surgery abandon-freelist db --to mended.db");

  auto again = std::make_shared<Wanted>();
  add(surgery, env, "rebuild-freelist", "find the free pages by a scan and store their list", again,
      [](Environment& environment, const Image& image, const Wanted&, Replacement& result) {
        return rebuild(environment, image, result);
      })
      .example("Beside the damaged file:", "boltctl surgery rebuild-freelist db --to mended.db");
}

}  // namespace

void add_surgery(tool::Command& root, Environment& env) {
  tool::Command& surgery = root.command("surgery", "change single pages, in a copy of the file");
  surgery
      .describe(
          "For files that nothing else helps: salvage is nearly always the better way. Each "
          "operation "
          "writes a changed copy, or with --in-place changes FILE and keeps it as FILE.original, "
          "and "
          "then says what check finds.")
      .example("The state before the last transaction, beside the file:",
               "boltctl surgery revert-meta db --to before.db");
  add_page_cuts(surgery, env);
  add_meta_cuts(surgery, env);
  add_freelist_cuts(surgery, env);
}

}  // namespace truss::bolttool
