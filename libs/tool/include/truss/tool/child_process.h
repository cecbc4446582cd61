#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "truss/common/clock.h"
#include "truss/common/error.h"

namespace truss::tool {

/// A program that runs beside this one. The kernel kills it when the thread that started it ends.
///
/// Thread: one.
class ChildProcess {
 public:
  ChildProcess() = default;
  ~ChildProcess();  ///< kill -9
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Starts `command`, whose first word is a path or a name in PATH; its output is appended to the
  /// file `log`. Errors: kNotFound for no such program, I/O.
  Result<> start(const std::vector<std::string>& command, const std::string& log);
  /// Sends a signal, if it runs.
  void signal(int number);
  /// Kills it and waits until it is gone.
  void kill9();
  /// Waits for its end. Returns: its exit status as a shell tells it (128 + signal); nullopt if it
  /// still runs after `patience`.
  std::optional<int> wait(Duration patience);
  bool alive();
  /// -1 if it doesn't run.
  pid_t pid() const { return pid_; }

 private:
  std::optional<int> reap(int flags);

  pid_t pid_ = -1;
  int status_ = 0;
};

/// The path of a program named as in a shell. Errors: kNotFound.
Result<std::string> find_program(const std::string& name);

/// A port of 127.0.0.1 that was free a moment ago, below those that the kernel hands out.
int free_port();

/// Somebody listens on this port of 127.0.0.1.
bool is_listening(int port);

}  // namespace truss::tool
