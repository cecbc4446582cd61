#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "truss/common/log.h"

namespace truss::testing {

/// Keeps log lines as text, `warn: message key=value …`, for tests to look at. Thread: any.
class MemoryLogger final : public Logger {
 public:
  explicit MemoryLogger(LogLevel level = LogLevel::kDebug) : level_(level) {}
  bool enabled(LogLevel level) const override { return level >= level_; }
  void write(LogLevel level, std::string_view message, std::span<const LogField> fields) override;

  std::vector<std::string> lines() const;
  /// True if some line contains `text`.
  bool contains(std::string_view text) const;
  /// All lines, each ended by a newline.
  std::string text() const;

 private:
  LogLevel level_;
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace truss::testing
