// walctl: looks into etcd's write-ahead log, judges it, and mends it.
#include "commands.h"

int main(int argc, char** argv) {
  truss::tool::Console console = truss::tool::system_console();
  return truss::walctl::run({argv + 1, argv + argc}, console);
}
