#pragma once

#include <cstdint>
#include <string>

#include "truss/common/clock.h"
#include "truss/tool/console.h"

namespace truss::tool {

/// One line on a terminal's stderr for work that takes longer than 500 ms: bytes, percent, rate,
/// time left; percent and time left of what isn't counted in bytes (update_share()). Nothing if
/// stderr is no terminal or `wanted` is false. Cheap enough to be told of every block: it looks at
/// the clock, and writes ten times a second at most. *Thread:* one.
class Progress {
 public:
  /// \param total_bytes  0: unknown
  Progress(Console& console, const Clock& clock, bool wanted, std::string what,
           std::uint64_t total_bytes);
  /// Wipes the line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// \param done_bytes  since the start
  void update(std::uint64_t done_bytes);
  /// \param done  0 to 1
  void update_share(double done);

 private:
  bool due();
  double seconds() const;
  void draw(const std::string& line);
  std::string line(std::uint64_t done_bytes) const;

  Console& console_;
  const Clock& clock_;
  const bool shown_;
  const std::string what_;
  const std::uint64_t total_bytes_;
  const MonoTime start_;
  MonoTime next_;
  bool drawn_ = false;
};

}  // namespace truss::tool
