#include "truss/common/testing/memory_logger.h"

#include <algorithm>

namespace truss::testing {
namespace {

constexpr std::string_view kLevels[] = {"debug", "info", "warn", "error", "fatal", "off"};

struct ValueText {
  std::string operator()(bool v) const { return v ? "true" : "false"; }
  std::string operator()(std::int64_t v) const { return std::to_string(v); }
  std::string operator()(std::uint64_t v) const { return std::to_string(v); }
  std::string operator()(double v) const { return std::to_string(v); }
  std::string operator()(std::string_view v) const { return std::string(v); }
  std::string operator()(const std::vector<std::string>& v) const {
    std::string out = "[";
    for (const std::string& item : v) out += (out.size() > 1 ? "," : "") + item;
    return out + "]";
  }
};

}  // namespace

void MemoryLogger::write(LogLevel level, std::string_view message,
                         std::span<const LogField> fields) {
  std::string line = std::string(kLevels[static_cast<std::size_t>(level)]) + ": ";
  line += message;
  for (const LogField& field : fields) {
    line += " " + std::string(field.key) + "=" + std::visit(ValueText{}, field.value);
  }
  std::lock_guard lock(mutex_);
  lines_.push_back(std::move(line));
}

std::vector<std::string> MemoryLogger::lines() const {
  std::lock_guard lock(mutex_);
  return lines_;
}

bool MemoryLogger::contains(std::string_view text) const {
  std::lock_guard lock(mutex_);
  return std::any_of(lines_.begin(), lines_.end(),
                     [&](const std::string& line) { return line.find(text) != std::string::npos; });
}

std::string MemoryLogger::text() const {
  std::lock_guard lock(mutex_);
  std::string out;
  for (const std::string& line : lines_) out += line + "\n";
  return out;
}

}  // namespace truss::testing
