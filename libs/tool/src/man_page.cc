#include "help.h"
#include "truss/tool/documents.h"

namespace truss::tool {
namespace {

// Text for troff: `\` and `-` escaped, no line that starts with a control character.
std::string roff(std::string_view text) {
  std::string out = text.starts_with('.') || text.starts_with('\'') ? "\\&" : "";
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

std::string upper(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

void append_item(std::string& out, const std::string& head, const std::string& text) {
  out += ".TP\n\\fB" + roff(head) + "\\fR\n" + roff(text) + "\n";
}

void append_command(std::string& out, const Located& located) {
  const Command& command = *located.command;
  for (const std::string& paragraph : command.paragraphs()) out += ".PP\n" + roff(paragraph) + "\n";
  for (const Argument& argument : command.positionals())
    append_item(out, argument_text(argument), argument.help);
  for (const Option& option : command.options())
    append_item(out, option_text(option), option.help + option_remarks(option));
}

void append_exit_status(std::string& out, const Command& root) {
  out += ".SH EXIT STATUS\n";
  append_item(out, "0", "All is well.");
  append_item(out, "1", "A check found something wrong.");
  append_item(out, "2", "The command line is wrong.");
  append_item(out, "3", "Reading or writing failed.");
  append_item(out, "4", "The input is corrupt.");
  append_item(out, "5", "Refused: a flag is needed, or somebody else holds a lock.");
  append_item(out, "130", "Interrupted.");
  for (const Located& located : all_commands(root)) {
    for (const auto& [code, meaning] : located.command->exit_codes())
      append_item(out, std::to_string(code), located.words() + ": " + meaning);
  }
}

void append_examples(std::string& out, const Command& root) {
  out += ".SH EXAMPLES\n";
  for (const Located& located : all_commands(root)) {
    for (const Example& example : located.command->examples())
      out += ".PP\n" + roff(example.what) + "\n.PP\n.nf\n.RS\n" + roff(example.command) +
             "\n.RE\n.fi\n";
  }
}

}  // namespace

std::string man_page(const Command& root) {
  const auto all = all_commands(root);
  std::string out = ".\\\" Made from the description of the commands; see docs/testing.md.\n.TH " +
                    upper(root.name()) + " 1 \"\" \"Truss\" \"User Commands\"\n.SH NAME\n" +
                    root.name() + " \\- " + roff(root.summary()) + "\n.SH SYNOPSIS\n";
  for (const Located& located : all) {
    if (!located.command->body()) continue;
    out += ".B " + roff(synopsis(located)) + "\n.br\n";
  }
  out += ".SH DESCRIPTION\n";
  append_command(out, all.front());
  if (all.size() > 1) out += ".SH COMMANDS\n";
  for (std::size_t i = 1; i < all.size(); ++i) {
    out += ".SS " + roff(all[i].words()) + "\n" + roff(all[i].command->summary()) + "\n";
    append_command(out, all[i]);
  }
  append_exit_status(out, root);
  append_examples(out, root);
  return out + ".SH SEE ALSO\n.BR member (1)\n";
}

}  // namespace truss::tool
