#include "truss/tool/command.h"

#include <doctest/doctest.h>

#include <sstream>

#include "truss/tool/exit_code.h"
#include "truss/tool/output.h"

using namespace truss;
using namespace truss::tool;

namespace {

// A tool with one of everything; prints what it was given.
struct Sample {
  OutputOptions output;
  std::string dir;
  std::vector<std::string> more;
  std::optional<std::uint64_t> from;
  std::vector<std::string> keys;
  std::string kind = "put";
  bool dry_run = false;
  Command root{"sample", "show how it is done"};
  std::ostringstream out;
  std::ostringstream err;

  Sample() {
    add_output_options(root, output);
    root.command("look", "look at it")
        .argument("DIR", "where", &dir, Hint::kFolder)
        .arguments("FILE", "what else", &more, 0, Hint::kFile)
        .option("--from", "REV", "first revision", &from)
        .option("-k,--key", "KEY", "key, may be repeated", &keys)
        .choice("--kind", "KIND", "kind of it", &kind, {"put", "delete"})
        .flag("-n,--dry-run", "change nothing", &dry_run)
        .example("All of it:", "sample look /x")
        .run([this](Console& console) {
          console.out << dir << " " << more.size() << " " << from.value_or(0) << " " << keys.size()
                      << " " << kind << " " << dry_run << " " << output.format_name;
          return 7;
        });
    root.command("time", "tell it")
        .parsed("--at", "TIME", "when", [](const std::string& text) -> Result<> {
          if (text != "noon") return fail(Code::kInvalidArgument, "only noon");
          return {};
        });
  }

  int run(const std::vector<std::string>& words) {
    Console console{out, err};
    return run_tool(root, words, console);
  }
};

}  // namespace

TEST_CASE("command: words reach their variables, in any order and spelling") {
  Sample sample;
  CHECK(sample.run({"look", "--key=a", "/x", "-k", "b", "f1", "--from", "9", "f2", "--kind",
                    "delete", "-n", "-o", "json"}) == 7);
  CHECK(sample.out.str() == "/x 2 9 2 delete 1 json");
}

TEST_CASE("command: an option that takes a list takes one word each time") {
  Sample sample;
  CHECK(sample.run({"look", "-k", "b", "/x"}) == 7);
  CHECK(sample.out.str() == "/x 0 0 1 put 0 text");
}

TEST_CASE("command: a flag may be given its value") {
  Sample sample;
  sample.dry_run = true;
  CHECK(sample.run({"look", "/x", "--dry-run=false"}) == 7);
  CHECK_FALSE(sample.dry_run);
}

TEST_CASE("command: what is wrong is said on stderr, with exit code 2") {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{},
                                             {"look"},
                                             {"sing"},
                                             {"look", "/x", "--form", "1"},
                                             {"look", "/x", "--from", "-1"},
                                             {"look", "/x", "--kind", "get"},
                                             {"look", "/x", "-o", "xml"},
                                             {"time", "--at", "dawn"}}) {
    Sample sample;
    CHECK(sample.run(words) == kUsage);
    CHECK(sample.out.str().empty());
    CHECK(sample.err.str().find("See: sample") != std::string::npos);
  }
}

TEST_CASE("command: help of the root and of a command, wherever it is asked for") {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"look", "--help"}, {"look", "/x", "-h"}}) {
    Sample sample;
    CHECK(sample.run(words) == kFine);
    CHECK(sample.out.str().find("sample look DIR [FILE...] [options]") != std::string::npos);
    CHECK(sample.out.str().find("EXAMPLES\n  All of it:\n    sample look /x") != std::string::npos);
    CHECK(sample.out.str().find("(put, delete) (default put)") != std::string::npos);
  }
  Sample sample;
  CHECK(sample.run({"--help"}) == kFine);
  CHECK(sample.out.str().find("look at it") != std::string::npos);
}

TEST_CASE("command: the version") {
  Sample sample;
  CHECK(sample.run({"--version"}) == kFine);
  CHECK(sample.out.str().starts_with("sample version 0."));
}

TEST_CASE("exit codes of errors") {
  CHECK(exit_code_of({Code::kInvalidArgument, ""}) == 2);
  CHECK(exit_code_of({Code::kUnknown, ""}) == 3);
  CHECK(exit_code_of({Code::kNotFound, ""}) == 3);
  CHECK(exit_code_of({Code::kCorruption, ""}) == 4);
  CHECK(exit_code_of({Code::kUnavailable, ""}) == 5);
  CHECK(exit_code_of({Code::kCanceled, ""}) == 130);
}
