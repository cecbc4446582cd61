#include "truss/tool/documents.h"

#include <doctest/doctest.h>

#include "truss/test_support/temp_dir.h"
#include "truss/tool/output.h"

using namespace truss;
using namespace truss::tool;

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

struct DocumentedSample {
  OutputOptions output;
  std::string dir;
  std::string text;
  Command root{"sample", "it's a sample"};
  DocumentedSample() {
    add_output_options(root, output);
    root.command("look", "look [at] it: don't touch")
        .argument("DIR", "where", &dir, Hint::kFolder)
        .option("--text", "TEXT", "what's sought", &text)
        .exit_code(10, "nothing there")
        .example("So:", "sample look -o json /x")
        .run([](Console&) { return 0; });
  }
};

}  // namespace

TEST_CASE("documents: the manual has every command, option, exit code and example") {
  const std::string page = man_page(DocumentedSample().root);
  for (const char* part : {".TH SAMPLE 1", ".SS sample look", "\\fB\\-\\-text TEXT\\fR",
                           "\\fB\\-o, \\-\\-output FORMAT", "sample look \\-o json /x",
                           "\\fB10\\fR\nsample look: nothing there"}) {
    CHECK_MESSAGE(has(page, part), part);
  }
}

TEST_CASE("documents: completions know commands, options and choices") {
  DocumentedSample sample;
  for (const Document& document : documents(sample.root)) {
    if (document.path.starts_with("man/")) continue;
    for (const char* part : {"look", "text", "output", "text json table", "no-progress"})
      CHECK_MESSAGE(has(document.text, part), document.path, ": ", part);
  }
}

TEST_CASE("documents: bash takes its completion, and it completes") {
  DocumentedSample sample;
  test_support::TempDir dir;
  const std::string script = dir.path() + "/sample.bash";
  const auto complete = [&](const std::string& words, int at) {
    const std::string command = "bash -c '. \"$0\"; COMP_WORDS=(" + words +
                                "); COMP_CWORD=" + std::to_string(at) +
                                "; _sample; echo \"${COMPREPLY[*]}\"' " + script;
    std::string out;
    FILE* pipe = ::popen(command.c_str(), "r");
    REQUIRE(pipe != nullptr);
    for (int c; (c = std::fgetc(pipe)) != EOF;) out += static_cast<char>(c);
    CHECK(::pclose(pipe) == 0);
    return out;
  };
  FILE* file = std::fopen(script.c_str(), "w");
  REQUIRE(file != nullptr);
  std::fputs(bash_completion(sample.root).c_str(), file);
  std::fclose(file);
  CHECK(complete("sample lo", 1) == "look\n");
  CHECK(complete("sample look --te", 2) == "--text\n");
  CHECK(complete("sample look -o ta", 3) == "table\n");
  CHECK(complete("sample look --output = j", 4) == "json\n");
}
