#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "interaction.h"

/// raft_conformance: every file of a corpus of raft traces, one line a file, then the totals.

namespace {

namespace fs = std::filesystem;
using truss::conformance::Outcome;

struct Kind {
  const char* folder;
  Outcome (*run)(std::string_view text, std::string* rewritten);
};
constexpr Kind kKinds[] = {{"interaction", truss::conformance::run_interaction},
                           {"quorum", truss::conformance::run_quorum},
                           {"confchange", truss::conformance::run_confchange}};

struct Totals {
  std::size_t files = 0;
  std::size_t cases = 0;
  std::size_t failed = 0;
};

std::vector<fs::path> files_of(const fs::path& folder) {
  std::vector<fs::path> out;
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(folder, error)) {
    if (entry.is_regular_file(error)) out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

void run_file(const Kind& kind, const fs::path& path, const std::string& name, bool rewrite,
              Totals& totals) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  std::string rewritten;
  const Outcome outcome = kind.run(text.str(), rewrite ? &rewritten : nullptr);
  const bool agrees = in && outcome.difference.empty() && outcome.cases > 0;
  ++totals.files;
  totals.cases += outcome.cases;
  totals.failed += agrees ? 0 : 1;
  if (rewrite && agrees && rewritten != text.str()) {
    std::ofstream(path, std::ios::binary) << rewritten;
    std::printf("rewritten: %s\n", name.c_str());
  }
  std::printf("%s %s: %zu cases\n", agrees ? "ok  " : "FAIL", name.c_str(), outcome.cases);
  if (agrees) return;
  const char* why = !in ? "cannot be read" : outcome.cases == 0 ? "has no cases" : "";
  std::printf("     %s\n", outcome.difference.empty() ? why : outcome.difference.c_str());
}

bool run_folder(const Kind& kind, const fs::path& root, bool rewrite, Totals& totals) {
  const std::vector<fs::path> files = files_of(root / kind.folder);
  if (files.empty()) std::printf("FAIL %s: missing or empty folder\n", kind.folder);
  for (const fs::path& file : files) {
    run_file(kind, file, fs::relative(file, root).generic_string(), rewrite, totals);
  }
  return !files.empty();
}

int usage(std::FILE* out, int code) {
  std::fputs(
      "usage: raft_conformance [--testdata DIR] [--or-skip] [--rewrite]\n\n"
      "Runs every file of DIR/interaction, DIR/quorum and DIR/confchange against libs/raft.\n"
      "DIR defaults to $TRUSS_RAFT_TESTDATA, else ../shared/data/raft-testdata beside the source\n"
      "tree. With --or-skip an absent DIR is a skip, not a failure. With --rewrite the files of "
      "DIR\n"
      "get the answers that were given, to be reviewed: for traces of our own, not for peers'.\n"
      "Exit code: 0 if all agree, 1 if not or if a folder is missing or empty, 2 for wrong usage.\n"
      "\nEXAMPLES\n  raft_conformance --testdata ../shared/data/raft-testdata\n",
      out);
  return code;
}

std::string default_root() {
  const char* set = std::getenv("TRUSS_RAFT_TESTDATA");
  return set != nullptr ? set : TRUSS_SOURCE_DIR "/../shared/data/raft-testdata";
}

int run_corpus(const fs::path& root, bool rewrite) {
  Totals totals;
  bool complete = true;
  for (const Kind& kind : kKinds) complete = run_folder(kind, root, rewrite, totals) && complete;
  std::printf("%zu files, %zu cases, %zu files differ\n", totals.files, totals.cases,
              totals.failed);
  return complete && totals.failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::string root = default_root();
  bool or_skip = false;
  bool rewrite = false;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    if (arg == "--help" || arg == "-h") return usage(stdout, 0);
    if (arg == "--or-skip") {
      or_skip = true;
    } else if (arg == "--rewrite") {
      rewrite = true;
    } else if (arg == "--testdata" && i + 1 < argc) {
      root = argv[++i];
    } else if (arg.starts_with("--testdata=")) {
      root = arg.substr(arg.find('=') + 1);
    } else {
      return usage(stderr, 2);
    }
  }
  if (or_skip && !fs::is_directory(root)) {
    std::printf("SKIPPED: no raft test data at %s (set TRUSS_RAFT_TESTDATA)\n", root.c_str());
    return 0;
  }
  return run_corpus(root, rewrite);
}
