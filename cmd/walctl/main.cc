// walctl: looks into etcd's write-ahead log, judges it, and mends it.
#include <thread>

#include "commands.h"

int main(int argc, char** argv) {
  using namespace truss;
  PosixFileSystem files;
  tool::PosixNames names;
  SystemClock clock;
  SystemProcess process;
  const auto sleep = [](Duration duration) { std::this_thread::sleep_for(duration); };
  tool::Console console = tool::system_console();
  return walctl::run({files, names, clock, process, sleep}, {argv + 1, argv + argc}, console);
}
