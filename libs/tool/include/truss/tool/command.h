#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "truss/common/error.h"
#include "truss/tool/console.h"

namespace truss::tool {

/// Where a value goes. What is not given on the command line keeps its value, which --help shows as
/// the default (not for an empty one, nor 0).
using Target =
    std::variant<std::string*, std::uint64_t*, std::int64_t*, double*, std::vector<std::string>*,
                 std::optional<std::string>*, std::optional<std::uint64_t>*>;

/// What a shell offers for a value.
enum class Hint : std::uint8_t { kNone, kFile, kFolder };

/// Positional words.
struct Argument {
  std::string name;  ///< as shown: `DIR`
  std::string help;
  std::variant<std::string*, std::vector<std::string>*> to;
  std::size_t at_least = 1;
  Hint hint = Hint::kNone;
};

struct Option {
  std::string names;       ///< `-o,--output`: at most one short, at least one long
  std::string value_name;  ///< `KEY`; empty: a flag, which takes no value (but `--flag=false`)
  std::string help;
  std::variant<bool*, Target, std::function<Result<>(const std::string&)>> to;
  std::vector<std::string> choices;  ///< the only values taken, if there are any
  Hint hint = Hint::kNone;
  std::string default_text;  ///< as shown

  /// The long name without dashes; the short one, or "".
  std::string long_name() const;
  std::string short_name() const;
};

struct Example {
  std::string what;  ///< one line, ends with a colon
  std::string command;
};

/// A command and its subcommands: built once in main, then given to run_tool(). From the same
/// description come the parser, --help, man page and completions. Variables are borrowed.
///
///     Command root("walctl", "look into and mend etcd's write-ahead log");
///     root.command("info", "show segments, identity, last state")
///         .argument("DIR", "data directory", &dir, Hint::kFolder)
///         .example("Of a stopped member:", "walctl info /var/lib/etcd/default")
///         .run([&](Console& console) { return info(dir, console); });
///     return run_tool(root, {argv + 1, argv + argc}, console);
///
/// Options of a command are also understood behind its subcommands' words.
/// *Thread:* one.
class Command {
 public:
  /// \param summary  one line in lower case, no full stop
  Command(std::string name, std::string summary);

  /// Adds a paragraph to the description.
  Command& describe(std::string text);
  /// One required word. At most one list of words, the last, may follow such words.
  Command& argument(std::string name, std::string help, std::string* to, Hint hint = Hint::kNone);
  Command& optional_argument(std::string name, std::string help, std::string* to,
                             Hint hint = Hint::kNone);
  Command& arguments(std::string name, std::string help, std::vector<std::string>* to,
                     std::size_t at_least = 1, Hint hint = Hint::kNone);
  Command& flag(std::string names, std::string help, bool* to);
  Command& option(std::string names, std::string value_name, std::string help, Target to,
                  Hint hint = Hint::kNone);
  /// One of `words`.
  Command& choice(std::string names, std::string value_name, std::string help, std::string* to,
                  std::vector<std::string> words);
  /// A value that `parse` judges; its error is shown behind the option's name (exit code 2).
  Command& parsed(std::string names, std::string value_name, std::string help,
                  std::function<Result<>(const std::string&)> parse, std::string default_text = "");
  Command& example(std::string what, std::string command);
  /// Adds a subcommand; the reference lives as long as this does.
  Command& command(std::string name, std::string summary);
  /// What to do when this command is given; the exit code comes back.
  Command& run(std::function<int(Console&)> body);
  /// Lines on the exit codes of its own, `CODE` and meaning, for the man page.
  Command& exit_code(int code, std::string meaning);

  const std::string& name() const { return name_; }
  const std::string& summary() const { return summary_; }
  const std::vector<std::string>& paragraphs() const { return paragraphs_; }
  const std::vector<Argument>& positionals() const { return arguments_; }
  const std::vector<Option>& options() const { return options_; }
  const std::vector<Example>& examples() const { return examples_; }
  const std::vector<std::unique_ptr<Command>>& commands() const { return commands_; }
  const std::vector<std::pair<int, std::string>>& exit_codes() const { return exit_codes_; }
  const std::function<int(Console&)>& body() const { return body_; }

 private:
  std::string name_;
  std::string summary_;
  std::vector<std::string> paragraphs_;
  std::vector<Argument> arguments_;
  std::vector<Option> options_;
  std::vector<Example> examples_;
  std::vector<std::unique_ptr<Command>> commands_;
  std::vector<std::pair<int, std::string>> exit_codes_;
  std::function<int(Console&)> body_;
};

/// Text of `--help`. \param path  the words before: `walctl` for a subcommand of walctl
std::string help_text(const Command& command, const std::string& path = "");

/// Reads the words and runs the command they name. Understands `-h`, `--help` everywhere and
/// `--version` at the root. Usage errors: two lines on stderr, exit code 2.
int run_tool(const Command& root, const std::vector<std::string>& words, Console& console);

}  // namespace truss::tool
