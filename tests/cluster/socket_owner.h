#pragma once

#include <sys/types.h>

#include <cstdint>

namespace truss::cluster {

/// The inode of this machine's IPv4 TCP socket that has the local port and a peer; 0 if none.
std::uint64_t inode_of_local_port(int port);

/// Whether a process holds the socket with this inode.
bool owns_socket(pid_t pid, std::uint64_t inode);

}  // namespace truss::cluster
