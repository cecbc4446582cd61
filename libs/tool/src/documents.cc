#include "truss/tool/documents.h"

#include "help.h"

namespace truss::tool {

const char* const kToolVersion = TRUSS_VERSION;

std::vector<Located> all_commands(const Command& root) {
  std::vector<Located> out{{&root, ""}};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Located at = out[i];
    for (std::size_t n = 0; n < at.command->commands().size(); ++n) {
      out.insert(out.begin() + static_cast<std::ptrdiff_t>(i + 1 + n),
                 {at.command->commands()[n].get(), at.words()});
    }
  }
  return out;
}

std::string argument_text(const Argument& argument) {
  const bool list = std::holds_alternative<std::vector<std::string>*>(argument.to);
  const std::string name = argument.name + (list ? "..." : "");
  return argument.at_least == 0 ? "[" + name + "]" : name;
}

std::string option_text(const Option& option) {
  std::string out = option.short_name().empty() ? "" : "-" + option.short_name() + ", ";
  out += "--" + option.long_name();
  return option.value_name.empty() ? out : out + " " + option.value_name;
}

std::string option_remarks(const Option& option) {
  std::string out;
  for (const std::string& word : option.choices) out += (out.empty() ? " (" : ", ") + word;
  if (!out.empty()) out += ")";
  return option.default_text.empty() ? out : out + " (default " + option.default_text + ")";
}

std::string synopsis(const Located& located) {
  std::string out = located.words();
  for (const Argument& argument : located.command->positionals())
    out += " " + argument_text(argument);
  if (!located.command->commands().empty()) out += " COMMAND";
  return out + " [options]";
}

namespace {

void append_entry(std::string& out, const std::string& head, const std::string& text) {
  constexpr std::size_t kWidth = 28;
  std::string line = "  " + head;
  if (line.size() + 2 > kWidth) {
    line += "\n" + std::string(kWidth, ' ');
  } else {
    line.append(kWidth - line.size(), ' ');
  }
  out += line + text + "\n";
}

void append_options(std::string& out, const Command& command, const char* title) {
  out += title;
  for (const Option& option : command.options())
    append_entry(out, option_text(option), option.help + option_remarks(option));
}

void append_help_examples(std::string& out, const Command& command) {
  if (command.examples().empty()) return;
  out += "\nEXAMPLES\n";
  for (const Example& example : command.examples())
    out += "  " + example.what + "\n    " + example.command + "\n";
}

}  // namespace

std::string help_text(const Command& command, const std::string& path) {
  const Located located{&command, path};
  std::string out =
      located.words() + ": " + command.summary() + "\n\nUSAGE\n  " + synopsis(located) + "\n";
  for (const std::string& paragraph : command.paragraphs()) out += "\n" + paragraph + "\n";
  if (!command.positionals().empty()) out += "\nARGUMENTS\n";
  for (const Argument& argument : command.positionals())
    append_entry(out, argument_text(argument), argument.help);
  if (!command.commands().empty()) out += "\nCOMMANDS\n";
  for (const auto& sub : command.commands()) append_entry(out, sub->name(), sub->summary());
  append_options(out, command, "\nOPTIONS\n");
  append_entry(out, "-h, --help", "show this text");
  if (path.empty()) append_entry(out, "--version", "show the version");
  if (!command.exit_codes().empty()) out += "\nEXIT CODES\n";
  for (const auto& [code, meaning] : command.exit_codes())
    append_entry(out, std::to_string(code), meaning);
  append_help_examples(out, command);
  return out;
}

std::vector<Document> documents(const Command& root) {
  return {{"man/" + root.name() + ".1", man_page(root)},
          {"completion/" + root.name() + ".bash", bash_completion(root)},
          {"completion/_" + root.name(), zsh_completion(root)},
          {"completion/" + root.name() + ".fish", fish_completion(root)}};
}

}  // namespace truss::tool
