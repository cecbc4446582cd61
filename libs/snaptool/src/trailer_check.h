#pragma once

#include <string>

#include "truss/common/executor.h"
#include "truss/snaptool/db_file.h"

namespace truss::snaptool {

/// Compares the SHA-256 of a snapshot with its trailer: on a thread of its own if `threads` are
/// more than one, at once otherwise.
class TrailerCheck {
 public:
  TrailerCheck(FileSystem& fs, const std::string& path, unsigned threads,
               const Progress& progress) {
    const auto check = [this, &fs, path, progress] {
      result_ = check_trailer(fs, path, true, progress);
    };
    if (threads > 1) {
      thread_ = Thread("sha256", check);
    } else {
      check();
    }
  }
  TrailerCheck(const TrailerCheck&) = delete;
  TrailerCheck& operator=(const TrailerCheck&) = delete;
  Result<> wait() {
    thread_.join();
    return result_;
  }

 private:
  Result<> result_;
  Thread thread_;
};

}  // namespace truss::snaptool
