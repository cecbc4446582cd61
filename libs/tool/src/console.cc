#include "truss/tool/console.h"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>

#include "truss/common/check.h"
#include "truss/tool/exit_code.h"

namespace truss::tool {
namespace {

// A signal handler can reach nothing else.
volatile std::sig_atomic_t g_interrupts = 0;
bool g_flag_lives = false;

}  // namespace

Console system_console() {
  const bool tty = ::isatty(STDOUT_FILENO) == 1;
  const char* no_color = std::getenv("NO_COLOR");
  return {std::cout, std::cerr, tty, ::isatty(STDERR_FILENO) == 1,
          tty && (no_color == nullptr || *no_color == '\0')};
}

int report_error(Console& console, std::string_view program, const Error& error) {
  console.out.flush();
  console.err << program << ": " << error.message << "\n";
  return exit_code_of(error);
}

InterruptFlag::InterruptFlag() {
  TRUSS_CHECK(!g_flag_lives);
  g_flag_lives = true;
  g_interrupts = 0;
  std::signal(SIGINT, [](int) { g_interrupts = 1; });
  std::signal(SIGTERM, [](int) { g_interrupts = 1; });
}

InterruptFlag::~InterruptFlag() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  g_flag_lives = false;
}

bool InterruptFlag::raised() const { return g_interrupts != 0; }

}  // namespace truss::tool
