#include "truss/common/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <charconv>
#include <cmath>

#include "truss/common/text.h"

namespace truss {
namespace {

void append_json(std::string& out, std::string_view text) {
  append_json_string(out, text, JsonStyle::kLog);
}
void append_json(std::string& out, bool v) { out += v ? "true" : "false"; }
void append_json(std::string& out, std::int64_t v) { out += std::to_string(v); }
void append_json(std::string& out, std::uint64_t v) { out += std::to_string(v); }

void append_json(std::string& out, double v) {
  if (!std::isfinite(v)) return append_json(out, std::string_view(std::isnan(v) ? "NaN" : "Inf"));
  char buffer[32];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, v).ptr);
}

void append_json(std::string& out, const std::vector<std::string>& v) {
  append_json_strings(out, v, JsonStyle::kLog);
}

void append_fields(std::string& out, std::span<const LogField> fields) {
  for (const LogField& field : fields) {
    out += ',';
    append_json(out, field.key);
    out += ':';
    std::visit([&](const auto& v) { append_json(out, v); }, field.value);
  }
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
  static constexpr spdlog::level::level_enum kLevels[] = {
      spdlog::level::debug, spdlog::level::info,     spdlog::level::warn,
      spdlog::level::err,   spdlog::level::critical, spdlog::level::off};
  return kLevels[static_cast<std::size_t>(level)];
}

std::string_view zap_name(LogLevel level) {
  static constexpr std::string_view kNames[] = {"debug", "info", "warn", "error", "fatal", "off"};
  return kNames[static_cast<std::size_t>(level)];
}

spdlog::sink_ptr make_sink(const std::string& output) {
  if (output == "stdout") return std::make_shared<spdlog::sinks::stdout_sink_mt>();
  if (output == "stderr" || output == "default") {
    return std::make_shared<spdlog::sinks::stderr_sink_mt>();
  }
  return std::make_shared<spdlog::sinks::basic_file_sink_mt>(output);
}

std::string utc_now() {
  const auto now = std::chrono::system_clock::now();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now - seconds).count();
  const std::time_t t = std::chrono::system_clock::to_time_t(seconds);
  std::tm utc{};
  ::gmtime_r(&t, &utc);
  char date[32];
  char stamp[48];
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(stamp, sizeof stamp, "%s.%06dZ", date, static_cast<int>(us));
  return stamp;
}

class JsonLogger final : public Logger {
 public:
  JsonLogger(LogLevel level, const std::vector<std::string>& outputs)
      : level_(level), log_("truss") {
    for (const auto& output : outputs) log_.sinks().push_back(make_sink(output));
    log_.set_level(to_spdlog(level));
    log_.set_pattern("%v");
    log_.flush_on(spdlog::level::trace);
  }

  bool enabled(LogLevel level) const override { return level >= level_; }

  void write(LogLevel level, std::string_view message, std::span<const LogField> fields) override {
    std::string line = "{\"level\":";
    append_json(line, zap_name(level));
    line += ",\"ts\":\"" + utc_now() + "\",\"msg\":";
    append_json(line, message);
    append_fields(line, fields);
    line += '}';
    log_.log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
  }

 private:
  LogLevel level_;
  spdlog::logger log_;
};

}  // namespace

std::unique_ptr<Logger> make_json_logger(LogLevel level, const std::vector<std::string>& outputs) {
  return std::make_unique<JsonLogger>(level, outputs);
}

bool parse_log_level(std::string_view text, LogLevel& level) {
  if (text == "debug") return level = LogLevel::kDebug, true;
  if (text == "info" || text.empty()) return level = LogLevel::kInfo, true;
  if (text == "warn") return level = LogLevel::kWarn, true;
  if (text == "error") return level = LogLevel::kError, true;
  if (text == "fatal" || text == "panic" || text == "dpanic") return level = LogLevel::kFatal, true;
  return false;
}

}  // namespace truss
