#pragma once

#include <cstdint>
#include <string>

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

/// The end of a log, in one line.
std::string last_words(const std::string& path);

}  // namespace truss::peertool
