// snapctl: saves, checks, compares and restores snapshots.
#include "commands.h"

int main(int argc, char** argv) {
  truss::tool::Console console = truss::tool::system_console();
  truss::PosixFileSystem files;
  truss::snapctl::Commands commands(files);
  return truss::tool::run_tool(commands.root(), {argv + 1, argv + argc}, console);
}
