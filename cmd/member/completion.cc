#include <array>

#include "flag_table.h"
#include "help.h"

namespace truss::member {
namespace {

constexpr std::string_view kHelp = "help";

// What stands behind a flag.
struct Values {
  enum class Kind : unsigned char { kAny, kFile, kFolder, kWords } kind = Kind::kAny;
  std::string words;  ///< separated by blanks
};

struct NamedWords {
  std::string_view flag;
  std::string_view words;
};
// Choices that other code than the flag table judges.
constexpr std::array<NamedWords, 8> kNamed = {{{"compat", "3.4 3.5 3.6 3.7"},
                                               {"backend-bbolt-freelist-type", "map array"},
                                               {"auto-compaction-mode", "periodic revision"},
                                               {"logger", "zap"},
                                               {"log-outputs", "default stderr stdout"},
                                               {"metrics", "basic extensive"},
                                               {"tls-min-version", "TLS1.2 TLS1.3"},
                                               {"tls-max-version", "TLS1.2 TLS1.3"}}};

Values values_of(const Flag& flag) {
  if (flag.name.ends_with("-file")) return {Values::Kind::kFile, {}};
  if (flag.name.ends_with("-dir")) return {Values::Kind::kFolder, {}};
  std::string words;
  for (const auto& [name, known] : kNamed) {
    if (name == flag.name) words = known;
  }
  for (const std::string_view choice : choices_of(flag.type)) {
    words += (words.empty() ? "" : " ") + std::string(choice);
  }
  return {words.empty() ? Values::Kind::kAny : Values::Kind::kWords, words};
}

bool takes_word(const Flag& flag) { return flag.type != FlagType::kBool; }

// For single quotes of bash and zsh.
std::string shell_quoted(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out;
}

// For a description in zsh's _arguments: brackets and colons mean something there.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : shell_quoted(text)) {
    if (c == '[' || c == ']' || c == ':') out += '\\';
    out += c;
  }
  return out;
}

void append_bash_cases(std::string& out) {
  std::string files;
  std::string folders;
  for (const Flag& flag : all_flags()) {
    const Values values = values_of(flag);
    const std::string pattern = "--" + std::string(flag.name);
    if (values.kind == Values::Kind::kFile) files += (files.empty() ? "" : " | ") + pattern;
    if (values.kind == Values::Kind::kFolder) folders += (folders.empty() ? "" : " | ") + pattern;
    if (values.kind == Values::Kind::kWords) {
      out += "    " + pattern + ") COMPREPLY=($(compgen -W '" + values.words +
             "' -- \"$word\")); return ;;\n";
    }
  }
  out += "    " + files + ") COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n";
  out += "    " + folders + ") COMPREPLY=($(compgen -d -- \"$word\")); return ;;\n";
}

std::string zsh_action(const Values& values) {
  switch (values.kind) {
    case Values::Kind::kFile:
      return ":file:_files";
    case Values::Kind::kFolder:
      return ":folder:_files -/";
    case Values::Kind::kWords:
      return ":value:(" + values.words + ")";
    case Values::Kind::kAny:
      break;
  }
  return ":value: ";
}

std::string fish_action(const Values& values) {
  switch (values.kind) {
    case Values::Kind::kFile:
      return " -r -F";
    case Values::Kind::kFolder:
      return " -x -a '(__fish_complete_directories)'";
    case Values::Kind::kWords:
      return " -x -a '" + values.words + "'";
    case Values::Kind::kAny:
      break;
  }
  return " -x";
}

}  // namespace

std::string bash_completion() {
  std::string out =
      "# bash completion of member(1); made from the flag table.\n"
      "_member() {\n  local word=${COMP_WORDS[COMP_CWORD]} flag=${COMP_WORDS[COMP_CWORD-1]}\n"
      "  # `--flag=value` comes as three words\n"
      "  if [ \"$word\" = '=' ]; then word=; "
      "elif [ \"$flag\" = '=' ]; then flag=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
      "  case $flag in\n";
  append_bash_cases(out);
  out += "  esac\n  [[ $word == -* ]] || return\n  COMPREPLY=($(compgen -W '\n";
  for (const Flag& flag : all_flags()) out += "    --" + std::string(flag.name) + "\n";
  out += "    --" + std::string(kHelp) + "\n    ' -- \"$word\"))\n}\ncomplete -F _member member\n";
  return out;
}

std::string zsh_completion() {
  std::string out =
      "#compdef member\n# zsh completion of member(1); made from the flag table.\n_arguments \\\n";
  for (const Flag& flag : all_flags()) {
    out += "  '--" + std::string(flag.name) + (takes_word(flag) ? "=" : "") + "[" +
           zsh_text(flag.help) + "]" + (takes_word(flag) ? zsh_action(values_of(flag)) : "") +
           "' \\\n";
  }
  return out + "  '(- *)--" + std::string(kHelp) + "[Show all flags.]'\n";
}

std::string fish_completion() {
  std::string out =
      "# fish completion of member(1); made from the flag table.\ncomplete -c member -f\n";
  for (const Flag& flag : all_flags()) {
    out += "complete -c member -l " + std::string(flag.name) +
           (takes_word(flag) ? fish_action(values_of(flag)) : "") + " -d '" +
           [&] {
             std::string text;
             for (const char c : flag.help)
               text += c == '\'' ? std::string("\\'") : std::string(1, c);
             return text;
           }() +
           "'\n";
  }
  return out + "complete -c member -l " + std::string(kHelp) + " -d 'Show all flags.'\n";
}

}  // namespace truss::member
