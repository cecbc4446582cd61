#include "socket_owner.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

namespace truss::cluster {

std::uint64_t inode_of_local_port(int port) {
  constexpr unsigned kEstablished = 1;
  std::ifstream in("/proc/net/tcp");
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    unsigned local = 0;
    unsigned state = 0;
    unsigned long long inode = 0;
    const int found =
        std::sscanf(line.c_str(), " %*u: %*x:%x %*x:%*x %x %*x:%*x %*x:%*x %*x %*u %*u %llu",
                    &local, &state, &inode);
    if (found == 3 && local == static_cast<unsigned>(port) && state == kEstablished) return inode;
  }
  return 0;
}

bool owns_socket(pid_t pid, std::uint64_t inode) {
  const std::string wanted = "socket:[" + std::to_string(inode) + "]";
  std::error_code error;
  std::filesystem::directory_iterator files("/proc/" + std::to_string(pid) + "/fd", error);
  for (; !error && files != std::filesystem::directory_iterator(); files.increment(error)) {
    std::error_code unreadable;
    if (std::filesystem::read_symlink(files->path(), unreadable) == wanted) return true;
  }
  return false;
}

}  // namespace truss::cluster
