#include "session.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <thread>

#include "truss/tool/lock_holder.h"

namespace truss::snapctl {

unsigned processors() { return std::clamp(std::thread::hardware_concurrency(), 1U, 8U); }

int report(tool::Console& console, Error error, const std::string& path) {
  if (error.code == Code::kUnavailable && !path.empty()) error.message += tool::held_by(path);
  return tool::report_error(console, "snapctl", error);
}

Bar::Bar(const Session& session, tool::Console& console, std::string what)
    : session_(session), console_(console), what_(std::move(what)) {}

snaptool::Progress Bar::sink() {
  return [this](std::uint64_t done, std::uint64_t total) {
    if (!progress_) {
      progress_ = std::make_unique<tool::Progress>(console_, session_.clock,
                                                   !session_.output.no_progress, what_, total);
    }
    progress_->update(done);
  };
}

void MemberOptions::add_to(tool::Command& command) {
  command.option("--user", "NAME:PASSWORD", "log in as this user", &user)
      .option("--timeout", "SECONDS", "of one call; a stream of a snapshot has none", &timeout_s);
}

snaptool::Endpoint MemberOptions::endpoint(const std::string& address) const {
  return {address, user, std::chrono::seconds(timeout_s)};
}

void RangeOptions::add_to(tool::Command& command) {
  command.option("--prefix", "PREFIX", "only keys that begin with it", &prefix)
      .option("--key", "KEY", "only this key", &key);
}

Result<snaptool::KeyRange> RangeOptions::range() const {
  if (!key.empty() && !prefix.empty()) {
    return fail(Code::kInvalidArgument, "--prefix and --key exclude each other");
  }
  return key.empty() ? snaptool::prefix_range(prefix) : snaptool::single_key(key);
}

void write_key_value(tool::JsonWriter& json, const schema::KeyValueView& kv) {
  json.bytes("value", kv.value)
      .field("createRevision", kv.create_revision)
      .field("modRevision", kv.mod_revision)
      .field("version", kv.version)
      .field("lease", kv.lease);
}

std::string json_line(const std::function<void(tool::JsonWriter&)>& fill) {
  std::string out;
  tool::JsonWriter json(out);
  json.begin_object();
  fill(json);
  json.end_object();
  return out + "\n";
}

std::string si_bytes(std::uint64_t bytes) {
  static constexpr std::array<const char*, 7> kUnits = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1000 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
  value = std::floor(value * 10 + 0.5) / 10;
  char text[32];
  const bool whole = bytes < 10 || value >= 10;
  std::snprintf(text, sizeof text, whole ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text;
}

}  // namespace truss::snapctl
