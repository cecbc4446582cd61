#pragma once

#include <string>
#include <vector>

#include "truss/tool/command.h"

/// What a command's description tells people and shells. These texts lie in the tree (docs/man,
/// docs/completion); a test of each tool compares them (test_support/tool_documents.h).
namespace truss::tool {

/// The manual page NAME(1), in man(7) macros: every command with its options and examples.
std::string man_page(const Command& root);

std::string bash_completion(const Command& root);
std::string zsh_completion(const Command& root);
std::string fish_completion(const Command& root);

struct Document {
  std::string path;  ///< below docs/
  std::string text;
};
/// Manual and completions.
std::vector<Document> documents(const Command& root);

}  // namespace truss::tool
