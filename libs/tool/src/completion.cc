#include "help.h"
#include "truss/tool/documents.h"

namespace truss::tool {
namespace {

// For single quotes; `extra` characters get a backslash.
std::string quoted_text(std::string_view text, std::string_view quote, std::string_view extra) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += quote;
      continue;
    }
    if (extra.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}
std::string zsh_text(std::string_view text) { return quoted_text(text, "'\\''", "[]:"); }
std::string fish_text(std::string_view text) { return quoted_text(text, "\\'", ""); }

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

// Options of a command and of those before it in the path.
std::vector<const Option*> options_of(const std::vector<Located>& all, const Located& located) {
  std::vector<const Option*> out;
  const std::string words = located.words() + " ";
  for (const Located& other : all) {
    if (!words.starts_with(other.words() + " ")) continue;
    for (const Option& option : other.command->options()) out.push_back(&option);
  }
  return out;
}

Hint word_hint(const Command& command) {
  return command.positionals().empty() ? Hint::kNone : command.positionals().back().hint;
}

std::string bash_value(const Option& option) {
  if (!option.choices.empty()) return "compgen -W '" + joined(option.choices) + "'";
  if (option.hint == Hint::kFile) return "compgen -f";
  if (option.hint == Hint::kFolder) return "compgen -d";
  return {};
}

std::string zsh_action(Hint hint, const std::vector<std::string>& choices) {
  if (!choices.empty()) return ":value:(" + joined(choices) + ")";
  if (hint == Hint::kFile) return ":file:_files";
  if (hint == Hint::kFolder) return ":folder:_files -/";
  return ":value: ";
}

std::string fish_action(const Option& option) {
  if (option.value_name.empty()) return {};
  if (!option.choices.empty()) return " -x -a '" + joined(option.choices) + "'";
  if (option.hint == Hint::kFile) return " -r -F";
  if (option.hint == Hint::kFolder) return " -x -a '(__fish_complete_directories)'";
  return " -x";
}

std::string bash_words(const std::vector<Located>& all, const Located& located) {
  std::string out;
  for (const auto& sub : located.command->commands()) out += sub->name() + " ";
  for (const Option* option : options_of(all, located)) out += "--" + option->long_name() + " ";
  return out + "--help";
}

}  // namespace

std::string bash_completion(const Command& root) {
  const auto all = all_commands(root);
  const std::string& name = root.name();
  std::string out =
      "# bash completion of " + name + "(1); made from the description of the commands.\n_" + name +
      "() {\n  local word=${COMP_WORDS[COMP_CWORD]} last=${COMP_WORDS[COMP_CWORD-1]}\n"
      "  local path=" +
      name +
      " i\n"
      "  # `--option=value` comes as three words\n"
      "  if [ \"$word\" = '=' ]; then word=; "
      "elif [ \"$last\" = '=' ]; then last=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n    case \"$path ${COMP_WORDS[i]}\" in\n";
  for (const Located& located : all) {
    if (!located.path.empty())
      out += "    '" + located.words() + "') path='" + located.words() + "' ;;\n";
  }
  out += "    esac\n  done\n  case \"$last\" in\n";
  std::string seen = " ";
  for (const Located& located : all) {
    for (const Option& option : located.command->options()) {
      const std::string key = " --" + option.long_name() + " ";
      if (option.value_name.empty() || seen.find(key) != std::string::npos) continue;
      seen += key;
      std::string names = "--" + option.long_name();
      if (!option.short_name().empty()) names += " | -" + option.short_name();
      const std::string value = bash_value(option);
      out += "  " + names + ") " +
             (value.empty() ? "return ;;\n"
                            : "COMPREPLY=($(" + value + " -- \"$word\")); return ;;\n");
    }
  }
  out += "  esac\n  case \"$path\" in\n";
  for (const Located& located : all) {
    const Hint hint = word_hint(*located.command);
    const std::string files = hint == Hint::kFile ? " -f" : hint == Hint::kFolder ? " -d" : "";
    out += "  '" + located.words() + "') ";
    if (!files.empty())
      out += "[[ $word == -* ]] || { COMPREPLY=($(compgen" + files +
             " -- \"$word\")); return; }\n    ";
    out += "COMPREPLY=($(compgen -W '" + bash_words(all, located) + "' -- \"$word\")) ;;\n";
  }
  return out + "  esac\n}\ncomplete -o filenames -F _" + name + " " + name + "\n";
}

std::string zsh_completion(const Command& root) {
  const auto all = all_commands(root);
  std::string out = "#compdef " + root.name() + "\n# zsh completion of " + root.name() +
                    "(1); made from the description of the commands.\n"
                    "local path=" +
                    root.name() +
                    " i\n"
                    "for ((i = 2; i < CURRENT; i++)); do\n  case \"$path $words[i]\" in\n";
  for (const Located& located : all) {
    if (!located.path.empty())
      out += "    '" + located.words() + "') path='" + located.words() + "' ;;\n";
  }
  out += "  esac\ndone\ncase $path in\n";
  for (const Located& located : all) {
    out += "'" + located.words() + "')\n  _arguments \\\n";
    for (const Option* option : options_of(all, located)) {
      const bool value = !option->value_name.empty();
      out += "    '--" + option->long_name() + (value ? "=" : "") + "[" + zsh_text(option->help) +
             "]" + (value ? zsh_action(option->hint, option->choices) : "") + "' \\\n";
    }
    if (!located.command->commands().empty()) {
      out += "    '1:command:((";
      for (const auto& sub : located.command->commands())
        out += sub->name() + "\\:\"" + zsh_text(sub->summary()) + "\" ";
      out += "))' \\\n";
    } else if (word_hint(*located.command) != Hint::kNone) {
      out += "    '*" + zsh_action(word_hint(*located.command), {}) + "' \\\n";
    }
    out += "    '(- *)--help[show help]' ;;\n";
  }
  return out + "esac\n";
}

std::string fish_completion(const Command& root) {
  const std::string& name = root.name();
  std::string out = "# fish completion of " + name +
                    "(1); made from the description of the commands.\ncomplete -c " + name +
                    " -f\n";
  for (const Located& located : all_commands(root)) {
    const bool top = located.path.empty();
    std::string condition;
    if (!top) condition = " -n '__fish_seen_subcommand_from " + located.command->name() + "'";
    for (const auto& sub : located.command->commands())
      out += "complete -c " + name + (top ? " -n __fish_use_subcommand" : condition) + " -a " +
             sub->name() + " -d '" + fish_text(sub->summary()) + "'\n";
    for (const Option& option : located.command->options()) {
      out += "complete -c " + name + condition + " -l " + option.long_name() +
             (option.short_name().empty() ? "" : " -s " + option.short_name()) +
             fish_action(option) + " -d '" + fish_text(option.help) + "'\n";
    }
    if (!top && word_hint(*located.command) != Hint::kNone) {
      out += "complete -c " + name + condition +
             (word_hint(*located.command) == Hint::kFile ? " -F"
                                                         : " -a '(__fish_complete_directories)'") +
             "\n";
    }
  }
  return out + "complete -c " + name + " -l help -s h -d 'show help'\n";
}

}  // namespace truss::tool
