#include <fstream>
#include <iterator>
#include <sstream>

#include "commands.h"
#include "truss/peertool/compare.h"
#include "truss/tool/exit_code.h"
#include "truss/tool/progress.h"

namespace truss::peerbench {
namespace {

using peertool::Report;
using tool::Console;

constexpr const char* kProgram = "peerbench";
constexpr double kMostTargetRate = 50;

/// Progress on a terminal, and the end of the work on Ctrl-C.
class Watch {
 public:
  Watch(Console& console, Runtime& runtime, const Settings& settings, const std::string& what)
      : progress_(console, runtime.clock(), !settings.output.no_progress, what, kWhole) {}
  peertool::Tick tick() {
    return [this](double done) {
      progress_.update(static_cast<std::uint64_t>(done * kWhole));
      return !interrupt_.raised();
    };
  }
  bool interrupted() const { return interrupt_.raised(); }

 private:
  static constexpr std::uint64_t kWhole = 100u << 20;
  tool::InterruptFlag interrupt_;
  tool::Progress progress_;
};

Result<std::unique_ptr<peertool::Rig>> make_rig(Settings& settings, Runtime& runtime,
                                                std::uint64_t snapshot_bytes) {
  if (settings.rig.program.empty()) return peertool::make_self_rig(runtime, settings.rig);
  if (settings.self) {
    return fail(Code::kInvalidArgument, "--self and --against exclude each other");
  }
  settings.rig.snapshot_bytes = snapshot_bytes;
  return peertool::make_member_rig(runtime, settings.rig);
}

int finish(const Settings& settings, Console& console, Result<Report> report,
           const std::string& command_line, bool interrupted) {
  if (!report) return tool::report_error(console, kProgram, report.error());
  report->command = command_line;
  console.out << peertool::render(*report, settings.output.format());
  return interrupted ? tool::kInterrupted : tool::kFine;
}

Result<std::string> slurp(const std::string& path) {
  PosixFileSystem files;
  return read_file(files, path, 256u << 20);
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string word; std::getline(in, word, ',');) {
    if (!word.empty()) out.push_back(word);
  }
  return out;
}

Result<> save(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.flush();
  if (!out) return fail(Code::kInternal, path + ": can't write");
  return {};
}

}  // namespace

int run_channels(Settings& settings, Runtime& runtime, Console& console,
                 const std::string& command_line) {
  if (settings.measure_limits) {
    return finish(settings, console, peertool::measure_limits(runtime, settings.limits),
                  command_line, false);
  }
  Watch watch(console, runtime, settings, "channels");
  if (!settings.target.url.empty()) {
    settings.target.per_second = std::min(settings.channels.per_second, kMostTargetRate);
    settings.target.duration = settings.channels.duration;
    auto report = peertool::measure_target(runtime, settings.target, watch.tick());
    return finish(settings, console, std::move(report), command_line, watch.interrupted());
  }
  if (!(settings.channels.per_second > 0)) {
    return tool::report_error(console, kProgram,
                              {Code::kInvalidArgument, "--rate must be above 0"});
  }
  auto rig = make_rig(settings, runtime, settings.channels.snapshot_bytes);
  if (!rig) return tool::report_error(console, kProgram, rig.error());
  auto report = peertool::measure_channels(**rig, settings.channels, watch.tick());
  rig->reset();
  return finish(settings, console, std::move(report), command_line, watch.interrupted());
}

int run_heartbeat(Settings& settings, Runtime& runtime, Console& console,
                  const std::string& command_line) {
  Watch watch(console, runtime, settings, "heartbeat");
  settings.heartbeat.one_connection = !settings.no_contrast;
  auto rig = make_rig(settings, runtime, settings.heartbeat.snapshot_bytes);
  if (!rig) return tool::report_error(console, kProgram, rig.error());
  auto report = peertool::measure_heartbeats(**rig, runtime, settings.heartbeat, watch.tick());
  rig->reset();
  if (report && !settings.plot.empty()) {
    if (const auto saved = save(settings.plot, peertool::svg(*report)); !saved) {
      return tool::report_error(console, kProgram, saved.error());
    }
  }
  const bool risky = report && report->heartbeat.verdict == "at risk";
  const int code = finish(settings, console, std::move(report), command_line, watch.interrupted());
  return code == tool::kFine && risky ? tool::kFoundWrong : code;
}

namespace {

Result<peertool::Profile> profile_of(const Settings& settings) {
  if (settings.profile.empty()) return peertool::Profile{.name = "256 bytes"};
  if (settings.profile != "recorded") {
    TRUSS_ASSIGN(const std::string text, slurp(settings.profile));
    return peertool::parse_profile(text, settings.profile);
  }
  if (settings.wal_dir.empty()) {
    return fail(Code::kInvalidArgument, "--profile recorded wants --data-dir DIR");
  }
  PosixFileSystem files;
  return peertool::record_profile(files, settings.wal_dir);
}

}  // namespace

int run_mix(Settings& settings, Runtime& runtime, Console& console,
            const std::string& command_line) {
  auto profile = profile_of(settings);
  if (!profile) return tool::report_error(console, kProgram, profile.error());
  settings.mix.profile = std::move(*profile);
  Watch watch(console, runtime, settings, "mix");
  auto rig = make_rig(settings, runtime, 0);
  if (!rig) return tool::report_error(console, kProgram, rig.error());
  auto report = peertool::measure_mix(**rig, settings.mix, watch.tick());
  rig->reset();
  return finish(settings, console, std::move(report), command_line, watch.interrupted());
}

int run_doctor(Settings& settings, Runtime& runtime, Console& console) {
  settings.doctor.peers = split(settings.peers);
  Watch watch(console, runtime, settings, "doctor");
  const auto findings = peertool::examine(runtime, settings.doctor, watch.tick());
  if (!findings) return tool::report_error(console, kProgram, findings.error());
  peertool::Diagnosis diagnosis = peertool::diagnose(*findings);
  diagnosis.machine = peertool::machine_text();
  diagnosis.date = peertool::utc_text(runtime.clock().wall());
  console.out << peertool::render(diagnosis, settings.output.format());
  return peertool::worst(diagnosis) == peertool::Verdict::kFail ? tool::kFoundWrong : tool::kFine;
}

int run_compare(Settings& settings, Console& console) {
  const auto load = [](const std::string& path) -> Result<Report> {
    TRUSS_ASSIGN(const std::string text, slurp(path));
    return peertool::from_json(text, path);
  };
  const auto earlier = load(settings.earlier);
  if (!earlier) return tool::report_error(console, kProgram, earlier.error());
  const auto later = load(settings.later);
  if (!later) return tool::report_error(console, kProgram, later.error());
  const auto comparison = peertool::compare(*earlier, *later);
  if (!comparison) return tool::report_error(console, kProgram, comparison.error());
  console.out << peertool::render(*comparison, settings.output.format());
  return peertool::any_slower(*comparison) ? tool::kFoundWrong : tool::kFine;
}

}  // namespace truss::peerbench
