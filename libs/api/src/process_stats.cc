#include "process_stats.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace truss::api {
namespace {

// Fields of /proc/self/stat after the command's closing parenthesis: state is [0].
std::vector<std::string> stat_fields() {
  std::ifstream in("/proc/self/stat");
  std::string line;
  std::getline(in, line);
  std::vector<std::string> out;
  const auto close = line.rfind(')');
  if (close == std::string::npos) return out;
  std::istringstream rest(line.substr(close + 1));
  for (std::string word; rest >> word;) out.push_back(word);
  return out;
}

double boot_seconds() {
  std::ifstream in("/proc/stat");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("btime ")) return std::strtod(line.c_str() + 6, nullptr);
  }
  return 0;
}

std::uint64_t count_open_fds() {
  DIR* dir = opendir("/proc/self/fd");
  if (dir == nullptr) return 0;
  std::uint64_t n = 0;
  while (readdir(dir) != nullptr) ++n;
  closedir(dir);
  return n >= 3 ? n - 3 : 0;  // ".", "..", and the directory itself
}

}  // namespace

ProcessStats read_process_stats() {
  ProcessStats out;
  const auto fields = stat_fields();
  if (fields.size() > 21) {
    const double tick = static_cast<double>(sysconf(_SC_CLK_TCK));
    const auto at = [&](std::size_t i) { return std::strtod(fields[i].c_str(), nullptr); };
    out.cpu_seconds = (at(11) + at(12)) / tick;
    out.start_seconds = boot_seconds() + at(19) / tick;
    out.virtual_bytes = std::strtoull(fields[20].c_str(), nullptr, 10);
    out.resident_bytes = std::strtoull(fields[21].c_str(), nullptr, 10) *
                         static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) out.max_fds = limit.rlim_cur;
  if (getrlimit(RLIMIT_AS, &limit) == 0) out.max_virtual_bytes = limit.rlim_cur;
  out.open_fds = count_open_fds();
  return out;
}

}  // namespace truss::api
