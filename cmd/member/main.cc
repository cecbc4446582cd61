// The member: reads its flags, starts, serves until it is told to stop.
#include <unistd.h>

#include <cstdio>

#include "command_line.h"
#include "member.h"
#include "options.h"
#include "signals.h"

namespace {

using namespace truss;

int leave(const member::Exit& exit) {
  std::fputs(exit.out.c_str(), stdout);
  std::fputs(exit.err.c_str(), stderr);
  return exit.code;
}

std::vector<std::string> environment() {
  std::vector<std::string> out;
  for (char** line = environ; *line != nullptr; ++line) out.emplace_back(*line);
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  PosixFileSystem files;
  auto settings = member::read_settings({argv + 1, argv + argc}, environment(), files);
  if (auto* exit = std::get_if<member::Exit>(&settings)) return leave(*exit);
  auto made = member::make_options(std::move(std::get<member::Settings>(settings)));
  if (auto* exit = std::get_if<member::Exit>(&made)) return leave(*exit);
  auto& options = std::get<member::Options>(made);
  options.api.command_line = {argv, argv + argc};

  const auto logger = make_json_logger(options.log_level, options.log_outputs);
  for (const auto& w : options.warnings) logger->warn(w.message, {{w.key, w.value}});
  member::block_stop_signals();
  auto started = member::Member::start(std::move(options), *logger);
  if (!started) {
    logger->log(LogLevel::kFatal, "failed to start the member",
                {{"error", started.error().message}});
    return 1;
  }
  const int signal = member::wait_for_stop_signal();
  if ((*started)->removed) {
    logger->warn("the member has been permanently removed from the cluster; exiting", {});
    started->reset();
    return 0;
  }
  logger->info("received signal; shutting down",
               {{"signal", signal == 2 ? "interrupt" : "terminated"}});
  started->reset();
  member::die_of(signal);
}
