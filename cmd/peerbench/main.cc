// peerbench: measures the channels between members, and what they stand on.
#include "commands.h"

int main(int argc, char** argv) {
  using namespace truss;
  ThreadRuntime runtime;
  tool::Console console = tool::system_console();
  std::string command_line = "peerbench";
  for (int i = 1; i < argc; ++i) command_line += std::string(" ") + argv[i];
  peerbench::Settings settings;
  const auto root = peerbench::make_commands(settings, runtime, command_line);
  return tool::run_tool(*root, {argv + 1, argv + argc}, console);
}
