#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace truss {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError, kFatal, kOff };

/// One key and value of a log line.
struct LogField {
  using Value = std::variant<bool, std::int64_t, std::uint64_t, double, std::string_view,
                             std::vector<std::string>>;
  std::string_view key;
  Value value;
};

/// Structured log, zap's way: `log.info("opened backend", {{"path", path}, {"took", 0.2}});`
/// Field keys are etcd's (`member-id`, `revision`, `took`, `error`). Thread: any.
class Logger {
 public:
  using Fields = std::initializer_list<LogField>;
  virtual ~Logger() = default;
  virtual bool enabled(LogLevel level) const = 0;
  virtual void write(LogLevel level, std::string_view message,
                     std::span<const LogField> fields) = 0;

  void debug(std::string_view m, Fields f = {}) { log(LogLevel::kDebug, m, f); }
  void info(std::string_view m, Fields f = {}) { log(LogLevel::kInfo, m, f); }
  void warn(std::string_view m, Fields f = {}) { log(LogLevel::kWarn, m, f); }
  void error(std::string_view m, Fields f = {}) { log(LogLevel::kError, m, f); }
  void log(LogLevel level, std::string_view message, Fields fields) {
    if (enabled(level)) write(level, message, std::span(fields.begin(), fields.size()));
  }
};

/// Drops everything.
class NullLogger final : public Logger {
 public:
  bool enabled(LogLevel) const override { return false; }
  void write(LogLevel, std::string_view, std::span<const LogField>) override {}
};

/// JSON lines with zap's keys (`level`, `ts`, `caller`, `msg`, then the fields) to the outputs:
/// `stderr`, `stdout`, `default` (stderr) or file paths.
std::unique_ptr<Logger> make_json_logger(LogLevel level, const std::vector<std::string>& outputs);

/// `debug`, `info`, `warn`, `error`, `fatal` (also zap's `panic`, `dpanic`) to a level; false if
/// unknown.
bool parse_log_level(std::string_view text, LogLevel& level);

}  // namespace truss
