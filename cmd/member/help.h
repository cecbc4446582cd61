#pragma once

#include <string>
#include <string_view>

/// What the flag table tells people and shells. The manual and the completions lie in the tree
/// (docs/man, docs/completion), where a test compares them with these texts.
namespace truss::member {

/// `ETCD_DATA_DIR` of `data-dir`.
std::string variable_name(std::string_view flag);

/// Text of --help.
std::string usage();
/// The manual page member(1), in man(7) macros.
std::string man_page();

std::string bash_completion();
std::string zsh_completion();
std::string fish_completion();

}  // namespace truss::member
