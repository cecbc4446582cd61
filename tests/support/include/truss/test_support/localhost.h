#pragma once

#include <netdb.h>

#include <cstdio>

namespace truss::test_support {

/// Whether the name `localhost` can be looked up: a bare root has no /etc/hosts. Prints the skip if
/// not.
inline bool knows_localhost() {
  addrinfo* found = nullptr;
  if (getaddrinfo("localhost", nullptr, nullptr, &found) != 0) {
    std::puts("SKIPPED: the name localhost is unknown here: no /etc/hosts");
    return false;
  }
  freeaddrinfo(found);
  return true;
}

}  // namespace truss::test_support
