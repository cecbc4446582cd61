#include <CLI/CLI.hpp>
#include <charconv>
#include <ostream>

#include "help.h"
#include "truss/common/bytes.h"
#include "truss/tool/command.h"
#include "truss/tool/exit_code.h"

namespace truss::tool {
namespace {

struct HelpWanted {
  const Command* command;
  std::string path;
};

template <class T>
Result<> parse_number(const std::string& text, T& to) {
  const char* const end = text.data() + text.size();
  T value{};
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || text.empty())
    return fail(Code::kInvalidArgument, "not a number, or out of range: " + truss::quoted(text));
  to = value;
  return {};
}

struct Store {
  const std::string& text;
  Result<> operator()(std::string* to) const { return *to = text, Result<>(); }
  Result<> operator()(std::optional<std::string>* to) const { return *to = text, Result<>(); }
  Result<> operator()(std::vector<std::string>* to) const {
    return to->push_back(text), Result<>();
  }
  Result<> operator()(std::optional<std::uint64_t>* to) const {
    return parse_number(text, to->emplace());
  }
  Result<> operator()(auto* to) const { return parse_number(text, *to); }
};

Result<> store(const Option& option, const std::string& text) {
  if (const auto* target = std::get_if<Target>(&option.to)) return std::visit(Store{text}, *target);
  return std::get<std::function<Result<>(const std::string&)>>(option.to)(text);
}

// Gives CLI11 the description, which stays the only one: its own help is not used.
class Parser {
 public:
  explicit Parser(const Command& root) : root_(root) {
    app_.set_help_flag();
    add(app_, root, "");
    app_.add_flag("--version", version_);
  }

  /// Exit code, or -1: run chosen().
  int parse(const std::vector<std::string>& words, Console& console) {
    std::vector<std::string> reversed(words.rbegin(), words.rend());  // as CLI11 takes them
    try {
      app_.parse(reversed);
    } catch (const CLI::Error& error) {
      if (!version_ && !help_wanted()) return usage_error(console, error.what());
    }
    if (const auto wanted = help_wanted()) {
      console.out << help_text(*wanted->command, wanted->path);
      return kFine;
    }
    if (version_) {
      console.out << root_.name() << " version " << kToolVersion << "\n";
      return kFine;
    }
    find_chosen();
    if (!chosen().command->body()) return usage_error(console, "a command is missing");
    return -1;
  }

  const HelpWanted& chosen() const { return chosen_; }

 private:
  struct Node {
    CLI::App* app;
    HelpWanted what;
    bool help = false;
  };

  void add(CLI::App& app, const Command& command, const std::string& path) {
    auto& node = nodes_.emplace_back(std::make_unique<Node>(Node{&app, {&command, path}}));
    app.fallthrough();
    app.add_flag("-h,--help", node->help);
    for (const Argument& argument : command.positionals()) add_argument(app, argument);
    for (const Option& option : command.options()) add_option(app, option);
    for (const auto& sub : command.commands()) {
      add(*app.add_subcommand(sub->name(), sub->summary()), *sub,
          path.empty() ? command.name() : path + " " + command.name());
    }
    if (!command.commands().empty()) app.require_subcommand(0, 1);
  }

  static void add_argument(CLI::App& app, const Argument& argument) {
    std::visit(
        [&](auto* to) {
          CLI::Option* added = app.add_option(argument.name, *to, argument.help);
          if constexpr (std::is_same_v<decltype(to), std::vector<std::string>*>) {
            added->expected(static_cast<int>(argument.at_least), 1 << 20);
          }
          added->required(argument.at_least > 0);
        },
        argument.to);
  }

  static void add_option(CLI::App& app, const Option& option) {
    if (const auto* flag = std::get_if<bool*>(&option.to)) {
      app.add_flag(option.names, **flag);
      return;
    }
    const auto take = [&](const std::string& text) {
      if (auto done = store(option, text); !done)
        throw CLI::ValidationError("--" + option.long_name(), done.error().message);
    };
    CLI::Option* added = app.add_option_function<std::vector<std::string>>(
        option.names, [take](const std::vector<std::string>& texts) {
          for (const std::string& text : texts) take(text);
        });
    const auto* target = std::get_if<Target>(&option.to);
    const bool list = target && std::holds_alternative<std::vector<std::string>*>(*target);
    added->allow_extra_args(false)->multi_option_policy(list ? CLI::MultiOptionPolicy::TakeAll
                                                             : CLI::MultiOptionPolicy::TakeLast);
    if (!option.choices.empty()) added->check(CLI::IsMember(option.choices));
  }

  std::optional<HelpWanted> help_wanted() const {
    for (auto it = nodes_.rbegin(); it != nodes_.rend(); ++it) {
      if ((*it)->help) return (*it)->what;
    }
    return std::nullopt;
  }

  void find_chosen() {
    for (const auto& node : nodes_) {
      if (node->app == &app_ || node->app->parsed()) chosen_ = node->what;
    }
  }

  int usage_error(Console& console, const std::string& what) {
    find_chosen();
    const std::string path = chosen_.path.empty() ? "" : chosen_.path + " ";
    console.err << root_.name() << ": " << what << "\nSee: " << path << chosen_.command->name()
                << " --help\n";
    return kUsage;
  }

  const Command& root_;
  CLI::App app_;
  bool version_ = false;
  std::vector<std::unique_ptr<Node>> nodes_;
  HelpWanted chosen_{};
};

}  // namespace

int run_tool(const Command& root, const std::vector<std::string>& words, Console& console) {
  Parser parser(root);
  const int code = parser.parse(words, console);
  if (code >= 0) return code;
  const int result = parser.chosen().command->body()(console);
  console.out.flush();
  if (!console.out) {
    console.err << root.name() << ": write to standard output failed\n";
    return kIo;
  }
  return result;
}

}  // namespace truss::tool
