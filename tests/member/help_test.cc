#include "help.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "flag_table.h"

using namespace truss::member;

namespace {

const std::string kDocs = TRUSS_SOURCE_DIR "/docs/";

struct Document {
  const char* path;  ///< below docs/
  std::string text;
};

std::vector<Document> documents() {
  return {{"man/member.1", man_page()},
          {"completion/member.bash", bash_completion()},
          {"completion/_member", zsh_completion()},
          {"completion/member.fish", fish_completion()}};
}

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

// With TRUSS_REWRITE=1 in the environment the files are written anew, to be reviewed like prose.
TEST_CASE("help: manual and completions in the tree are those of the flag table") {
  for (const Document& document : documents()) {
    const std::string path = kDocs + document.path;
    if (std::getenv("TRUSS_REWRITE") != nullptr) {
      std::ofstream(path, std::ios::binary) << document.text;
    }
    CHECK_MESSAGE(read(path) == document.text, path, " is stale: TRUSS_REWRITE=1 tests-member");
  }
}

TEST_CASE("help: every flag of --help is in the manual and in each completion") {
  const std::string help = usage();
  const std::string manual = read(kDocs + "man/member.1");
  const std::string bash = read(kDocs + "completion/member.bash");
  const std::string zsh = read(kDocs + "completion/_member");
  const std::string fish = read(kDocs + "completion/member.fish");
  for (const Flag& flag : all_flags()) {
    const std::string name(flag.name);
    std::string escaped;
    for (const char c : name) escaped += c == '-' ? std::string("\\-") : std::string(1, c);
    CHECK_MESSAGE(has(help, "  --" + name + " '"), name);
    CHECK_MESSAGE(has(manual, "\n\\fB\\-\\-" + escaped + "\\fR "), name);
    CHECK_MESSAGE(has(bash, "\n    --" + name + "\n"), name);
    const bool in_zsh = has(zsh, "'--" + name + "=[") || has(zsh, "'--" + name + "[");
    CHECK_MESSAGE(in_zsh, name);
    CHECK_MESSAGE(has(fish, " -l " + name + " "), name);
  }
}

TEST_CASE("help: groups hold each flag once, in the order of the table") {
  std::size_t count = 0;
  const Flag* next = all_flags().data();
  for (const FlagGroup& group : flag_groups()) {
    CHECK(group.flags.data() == next);
    CHECK_FALSE(group.flags.empty());
    count += group.flags.size();
    next += group.flags.size();
  }
  CHECK(count == all_flags().size());
}

TEST_CASE("help: releases of a flag in words") {
  CHECK(releases_of(*find_flag("name")).empty());
  CHECK(releases_of(*find_flag("max-learners")) == "3.6 and later");
  CHECK(releases_of(*find_flag("enable-v2")) == "3.4 to 3.5");
  CHECK(releases_of(*find_flag("debug")) == "3.4 only");
}
