#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace truss::kill9 {

/// A server that takes etcd's flags, on loopback ports of its own, over and over on one directory.
class ServerProcess {
 public:
  /// `log`: where its output is appended.
  ServerProcess(std::string data_dir, std::string log);
  ~ServerProcess();  ///< kill -9
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  void start(const std::string& program, const std::vector<std::string>& flags);
  bool alive();
  void kill9();
  /// SIGTERM, then waits ten seconds; false if it would not end, or not well.
  bool stop();
  const std::string& address() const { return client_; }

 private:
  std::string data_dir_;
  std::string log_;
  std::string client_;
  std::string peer_;
  pid_t pid_ = -1;
};

}  // namespace truss::kill9
