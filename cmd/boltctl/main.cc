// boltctl: looks into bolt files and mends them. The commands are in libs/bolttool.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iostream>
#include <thread>

#include "truss/bolttool/boltctl.h"
#include "truss/tool/exit_code.h"

namespace {

using namespace truss;

// A read of a mapped file that the disk can't serve, or that somebody cut short meanwhile.
void on_bus_error(int) {
  constexpr std::string_view kWhy =
      "boltctl: the file could not be read (I/O error, or it was cut short meanwhile)\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kWhy.data(), kWhy.size());
  ::_exit(tool::kIo);
}

Result<> keep_owner(const std::string& from, const std::string& to) {
  struct stat info {};
  if (::stat(from.c_str(), &info) != 0) return fail_errno("stat " + from, errno);
  if (::chmod(to.c_str(), info.st_mode & 07777) != 0) return fail_errno("chmod " + to, errno);
  if (::chown(to.c_str(), info.st_uid, info.st_gid) != 0) return fail_errno("chown " + to, errno);
  return {};
}

std::string resident() {
  std::ifstream status("/proc/self/status");
  std::string out;
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("RssAnon:") && !line.starts_with("RssFile:")) continue;
    std::erase(line, ' ');
    std::replace(line.begin(), line.end(), '\t', ' ');
    out += (out.empty() ? "" : ", ") + line;
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGBUS, on_bus_error);
  PosixFileSystem fs;
  SystemClock clock;
  bolttool::Environment env{fs,         clock,    std::max(1U, std::thread::hardware_concurrency()),
                            keep_owner, resident, {}};
  const auto root = bolttool::make_boltctl(env);
  tool::Console console = tool::system_console();
  return tool::run_tool(*root, {argv + 1, argv + argc}, console);
}
