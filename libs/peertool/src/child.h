#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "truss/common/clock.h"
#include "truss/common/error.h"

namespace truss::peertool {

/// A folder of our own, removed with all in it.
class ScratchFolder {
 public:
  ScratchFolder() = default;
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  /// \param parent  empty: $TMPDIR, /tmp
  /// Errors: I/O.
  Result<> make(const std::string& parent);
  void keep() { keep_ = true; }
  const std::string& path() const { return path_; }
  /// Bytes that may still be written there.
  Result<std::uint64_t> free_bytes() const;

 private:
  std::string path_;
  bool keep_ = false;
};

/// A program that runs beside this one, and dies with the thread that started it. Thread: one.
class Child {
 public:
  Child() = default;
  ~Child();  ///< stop()
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// `command[0]` is a path or a name in PATH. Output goes to the file `log`.
  /// Errors: kNotFound for no such program, I/O.
  Result<> start(const std::vector<std::string>& command, const std::string& log);
  bool alive();
  /// SIGTERM; SIGKILL after five seconds.
  void stop();
  pid_t pid() const { return pid_; }
  /// The end of its log, in one line.
  std::string last_words() const;

 private:
  pid_t pid_ = -1;
  std::string log_;
};

/// The path of a program named as in a shell. Errors: kNotFound.
Result<std::string> find_program(const std::string& name);
/// A port of 127.0.0.1 that was free a moment ago.
int free_port();

}  // namespace truss::peertool
