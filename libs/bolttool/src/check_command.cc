#include "commands.h"
#include "truss/bolt/check.h"
#include "truss/bolt/walk.h"
#include "truss/common/coding.h"

namespace truss::bolttool {
namespace {

struct Wanted {
  std::string file;
  std::int64_t slot = -1;
  std::uint64_t threads = 0;
  std::uint64_t show = 100;
};

struct Faults {
  std::uint64_t count = 0;
  std::vector<std::string> shown;
};

/// The meta pages: their checksums, their headers, which the checksum doesn't cover, and that the
/// pages are in the places where the next commit expects them.
void check_metas(const Image& image, const bolt::FaultReport& report) {
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string place = "bolt " + image.path() + ": meta page " + std::to_string(i) +
                              " at offset " + std::to_string(i * image.page_size()) + ": ";
    if (!image.metas()[i].meta) {
      report(place + image.metas()[i].fault);
      continue;
    }
    const char* page = image.page_bytes(i);
    if (load_le<std::uint64_t>(page) != i || load_le<std::uint16_t>(page + 8) != bolt::kMetaFlag) {
      report(place + "its header is not that of a meta page");
    }
  }
}

/// A writer that goes on committing may reuse pages of the state that is read: faults count only if
/// it stood still.
Result<Faults> check_still(Environment& env, tool::Console& console, const Wanted& wanted) {
  constexpr int kTries = 5;
  for (int attempt = 1;; ++attempt) {
    TRUSS_ASSIGN(const Image image,
                 Image::open(env.fs, wanted.file, {.slot = static_cast<int>(wanted.slot)}));
    if (image.live() && attempt == 1) {
      console.err << "boltctl: " << image.path() << ": being written" << image.holders()
                  << ": checking the newest state without a lock\n";
    }
    Faults faults;
    const bolt::FaultReport report = [&](const std::string& fault) {
      if (++faults.count <= wanted.show) faults.shown.push_back(fault);
    };
    check_metas(image, report);
    const auto threads = static_cast<unsigned>(wanted.threads == 0 ? env.threads : wanted.threads);
    bolt::check_state(image.view(), image.meta(), threads, report);
    if (!image.moved_on()) return faults;
    if (attempt < kTries) continue;
    return fail(Code::kUnavailable, "bolt " + image.path() + ": written to during each of " +
                                        std::to_string(kTries) + " checks" + image.holders() +
                                        ": check a snapshot, or stop the writer");
  }
}

void show(const Faults& faults, tool::Format format, tool::Console& console) {
  if (format == tool::Format::kJson) {
    std::string text;
    tool::JsonWriter json(text);
    json.begin_object().field("ok", faults.count == 0).field("faults", faults.count);
    json.key("shown").begin_array();
    for (const std::string& fault : faults.shown) json.value(fault);
    json.end_array().end_object();
    console.out << text << "\n";
    return;
  }
  for (const std::string& fault : faults.shown) console.out << fault << "\n";
  if (faults.count > faults.shown.size()) {
    console.out << "... and " << faults.count - faults.shown.size() << " more\n";
  }
  if (faults.count == 0) {
    console.out << "OK\n";
  } else {
    console.out << faults.count << (faults.count == 1 ? " fault\n" : " faults\n");
  }
}

}  // namespace

void add_check(tool::Command& root, Environment& env) {
  auto wanted = std::make_shared<Wanted>();
  tool::Command& command = root.command("check", "check the whole file: exit code 0 or 1");
  command
      .describe(
          "Checks both meta pages, that every page is reachable exactly once or free, page types, "
          "bounds, and the order of keys. Names page and offset of each fault, the way to it, and "
          "which keys are out of reach. Takes two bits of memory a page.")
      .argument("FILE", "bolt file or data directory", &wanted->file, tool::Hint::kFile)
      .option("--threads", "N", "threads that walk the file; 0: one a processor", &wanted->threads)
      .option("--show", "N", "faults to list at most", &wanted->show)
      .example("Of a stopped member:", "boltctl check /var/lib/etcd/default")
      .example("Of a snapshot without its hash:", "boltctl check backup.db")
      .run([&env, wanted](tool::Console& console) -> int {
        auto faults = check_still(env, console, *wanted);
        if (!faults) {
          const int code = failed(console, faults.error());
          return code == tool::kCorruptInput ? tool::kFoundWrong : code;
        }
        show(*faults, env.output.format(), console);
        return faults->count == 0 ? tool::kFine : tool::kFoundWrong;
      });
  add_state_option(command, &wanted->slot);
}

}  // namespace truss::bolttool
