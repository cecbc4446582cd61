#include "bench.h"
#include "commands.h"
#include "svg.h"
#include "truss/bolttool/replace.h"

namespace truss::bolttool {
namespace {

struct Wanted {
  std::string folder = ".";
  std::string no_freelist_sync;
  std::string map_populate;
  std::string freelist_type = "hashmap";
  std::string svg;
  ChurnOptions churn;
  std::uint64_t reads = 2000;
  bool sync = false;
};

constexpr const char* kFile = "boltctl-bench.db";

/// Removes the file of a run, whatever happens.
class Scratch {
 public:
  Scratch(FileSystem& fs, std::string path) : fs_(fs), path_(std::move(path)) {}
  ~Scratch() { static_cast<void>(fs_.remove(path_)); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::string& path() const { return path_; }

 private:
  FileSystem& fs_;
  const std::string path_;
};

tool::Table churn_table() {
  return tool::Table({{"no-freelist-sync", "noFreelistSync"},
                      {"commits", "commits"},
                      {"seconds", "seconds"},
                      {"file bytes", "fileBytes"},
                      {"free pages", "freePages"},
                      {"pending pages", "pendingPages"},
                      {"pages a commit", "pagesPerCommit"},
                      {"p50 ms", "p50Ms"},
                      {"p99 ms", "p99Ms"}});
}

std::string draw(const std::vector<ChurnWindow>& windows, const std::string& title) {
  std::vector<double> x;
  std::vector<Curve> curves = {{"file size, MiB", "#2e86de", {}},
                               {"free and pending pages", "#e67e22", {}},
                               {"pages written a commit", "#8e44ad", {}},
                               {"commit p99, ms", "#c0392b", {}}};
  for (const ChurnWindow& w : windows) {
    x.push_back(static_cast<double>(w.commits));
    curves[0].y.push_back(static_cast<double>(w.file_bytes) / (1 << 20));
    curves[1].y.push_back(static_cast<double>(w.free_pages + w.pending_pages));
    curves[2].y.push_back(w.pages_per_commit);
    curves[3].y.push_back(w.p99_ms);
  }
  return draw_curves(title, "commits", x, curves);
}

Result<> write_svg(FileSystem& fs, const std::string& to, const std::string& picture) {
  TRUSS_ASSIGN(Replacement out, Replacement::begin(fs, to));
  TRUSS_TRY(out.file().pwrite(picture, 0));
  return out.commit(to, {});
}

/// With both forms in one run the second picture gets `.off` before its ending.
std::string svg_name(const std::string& to, const std::string& form, bool both) {
  const std::size_t dot = to.rfind('.');
  if (!both || dot == std::string::npos) return to;
  return to.substr(0, dot) + "." + form + to.substr(dot);
}

Result<int> churn(Environment& env, const Wanted& wanted, tool::Console& console) {
  tool::Table table = churn_table();
  const bool both = wanted.no_freelist_sync.empty() || wanted.no_freelist_sync == "both";
  for (const char* form : {"off", "on"}) {
    if (!both && wanted.no_freelist_sync != form) continue;
    const Scratch file(env.fs, join_path(wanted.folder, kFile));
    ChurnOptions options = wanted.churn;
    options.bolt.no_freelist_sync = std::string(form) == "on";
    options.bolt.no_sync = !wanted.sync;
    options.bolt.freelist_type =
        wanted.freelist_type == "array" ? bolt::FreelistType::kArray : bolt::FreelistType::kHashMap;
    auto run = run_churn(env.fs, env.clock, file.path(), options, [&](const ChurnWindow& w) {
      table.add({std::string(form), w.commits, w.seconds, w.file_bytes, w.free_pages,
                 w.pending_pages, w.pages_per_commit, w.p50_ms, w.p99_ms});
      if (console.err_is_tty && !env.output.no_progress) {
        console.err << form << ": " << w.commits << " commits\n";
      }
    });
    if (!run) return tl::unexpected(std::move(run).error());
    if (!wanted.svg.empty()) {
      TRUSS_TRY(write_svg(env.fs, svg_name(wanted.svg, form, both),
                          draw(*run, std::string("NoFreelistSync ") + form + ", freelist " +
                                         wanted.freelist_type)));
    }
  }
  console.out << table.render(env.output.format());
  return tool::kFine;
}

Result<int> populate(Environment& env, const Wanted& wanted, tool::Console& console) {
  const Scratch file(env.fs, join_path(wanted.folder, kFile));
  TRUSS_TRY(fill_file(env.fs, file.path(), wanted.churn.keys, wanted.churn.value_bytes, {}));
  tool::Table table({{"map-populate", "mapPopulate"},
                     {"open ms", "openMs"},
                     {"first read p50 us", "firstP50Us"},
                     {"first read p99 us", "firstP99Us"},
                     {"again p50 us", "againP50Us"},
                     {"again p99 us", "againP99Us"},
                     {"resident", "resident"}});
  for (const bool on : {false, true}) {
    const bool both = wanted.map_populate == "both";
    if (!both && (wanted.map_populate == "on") != on) continue;
    TRUSS_ASSIGN(const MapRun run, run_map(env.fs, env.clock, file.path(), on, wanted.churn.keys,
                                           wanted.reads, env.resident));
    table.add({std::string(on ? "on" : "off"), run.open_ms, run.first_p50_us, run.first_p99_us,
               run.again_p50_us, run.again_p99_us, run.resident});
  }
  console.out << table.render(env.output.format());
  return tool::kFine;
}

Result<> check_numbers(const Wanted& w) {
  if (w.churn.keys > 0 && w.churn.value_bytes > 0 && w.churn.commits > 0 && w.churn.batch > 0)
    return {};
  return fail(Code::kInvalidArgument,
              "--keys, --value-bytes, --commits and --batch must be above 0");
}

}  // namespace

void add_bench(tool::Command& root, Environment& env) {
  auto wanted = std::make_shared<Wanted>();
  tool::Command& command = root.command("bench", "measure the engine where its options matter");
  command
      .describe(
          "With --no-freelist-sync: rewrites random keys of a small database while long readers "
          "pin its old pages, and shows file size, free pages and commit latency over time, with "
          "the "
          "list of free pages kept out of the file (on) or written at each commit (off). With "
          "--map-populate: what that flag does to opening, first reads and resident memory.")
      .optional_argument("DIR", "where the file of the run is made, and removed", &wanted->folder,
                         tool::Hint::kFolder)
      .choice("--no-freelist-sync", "WHICH", "run with this form", &wanted->no_freelist_sync,
              {"on", "off", "both"})
      .choice("--map-populate", "WHICH", "show the effect of MAP_POPULATE instead",
              &wanted->map_populate, {"on", "off", "both"})
      .choice("--freelist-type", "TYPE", "how free pages are found", &wanted->freelist_type,
              {"hashmap", "array"})
      .option("--keys", "N", "keys in the database", &wanted->churn.keys)
      .option("--value-bytes", "N", "size of a value", &wanted->churn.value_bytes)
      .option("--commits", "N", "commits of the run", &wanted->churn.commits)
      .option("--batch", "N", "keys rewritten in a commit", &wanted->churn.batch)
      .option("--readers", "N", "readers open at any time", &wanted->churn.readers)
      .option("--hold", "N", "commits that each reader stays open for", &wanted->churn.hold)
      .option("--windows", "N", "rows to show", &wanted->churn.windows)
      .option("--reads", "N", "reads with --map-populate", &wanted->reads)
      .flag("--sync", "sync each commit, as a member does", &wanted->sync)
      .option("--svg", "FILE", "draw the growth over the run", &wanted->svg, tool::Hint::kFile)
      .example(
          "The story of NoFreelistSync:",
          "boltctl bench /tmp --no-freelist-sync=both --commits 5000 --hold 2000 --svg growth.svg")
      .example("What MAP_POPULATE does to a 1 GiB file:",
               "boltctl bench /tmp --map-populate=both --keys 1400000")
      .run([&env, wanted](tool::Console& console) {
        auto checked = check_numbers(*wanted);
        if (!checked) return failed(console, checked.error());
        auto code = wanted->map_populate.empty() ? churn(env, *wanted, console)
                                                 : populate(env, *wanted, console);
        return code ? *code : failed(console, code.error());
      });
}

}  // namespace truss::bolttool
