#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

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

Unexpected usage(const std::string& what) { return fail(Code::kInvalidArgument, what); }

/// Progress on a terminal, and the end of the work on Ctrl-C.
class Watch {
 public:
  Watch(Console& console, Runtime& runtime, const Settings& settings, const std::string& what)
      : progress_(console, runtime.clock(), !settings.output.no_progress, what, 0) {}
  peertool::Tick tick() {
    return [this](double done) {
      progress_.update_share(done);
      return !interrupted();
    };
  }
  bool interrupted() const { return interrupt_.raised(); }

 private:
  tool::InterruptFlag interrupt_;
  tool::Progress progress_;
};

/// What goes together on the command line.
Result<> check_rig(const Settings& settings) {
  if (settings.rig.program.empty()) {
    if (settings.rig.keep) return usage("--keep wants --against PROGRAM");
    if (!settings.rig.temp_dir.empty()) return usage("--temp-dir wants --against PROGRAM");
    return {};
  }
  if (settings.self) return usage("--self and --against exclude each other");
  return {};
}

Result<std::unique_ptr<peertool::Rig>> make_rig(Settings& settings, Runtime& runtime,
                                                const Watch& watch, std::uint64_t snapshot_bytes) {
  settings.rig.go_on = [&watch] { return !watch.interrupted(); };
  if (settings.rig.program.empty()) return peertool::make_self_rig(runtime, settings.rig);
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

/// Before a measurement whose result is to go there.
Result<> check_writable(const std::string& path) {
  const std::string folder = parent_path(path);
  const bool there = ::access(path.c_str(), F_OK) == 0;
  struct stat info {};
  const bool directory = there && ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
  if (directory || ::access(there ? path.c_str() : folder.c_str(), W_OK) != 0) {
    return fail(Code::kPermissionDenied, path + ": can't write a file there");
  }
  return {};
}

Result<> save(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.flush();
  if (!out) return fail(Code::kInternal, path + ": can't write");
  return {};
}

}  // namespace

namespace {

Result<> check_channels(const Settings& settings) {
  const bool rig = settings.self || !settings.rig.program.empty();
  if (!settings.target.url.empty() && (rig || settings.measure_limits)) {
    return usage("--target excludes --self, --against and --limits");
  }
  if (settings.measure_limits && rig) return usage("--limits excludes --self and --against");
  return check_rig(settings);
}

}  // namespace

int run_channels(Settings& settings, Runtime& runtime, Console& console,
                 const std::string& command_line) {
  if (const auto fit = check_channels(settings); !fit) {
    return tool::report_error(console, kProgram, fit.error());
  }
  Watch watch(console, runtime, settings, "channels");
  if (settings.measure_limits) {
    auto report = peertool::measure_limits(runtime, settings.limits, watch.tick());
    return finish(settings, console, std::move(report), command_line, watch.interrupted());
  }
  if (!settings.target.url.empty()) {
    settings.target.per_second = std::min(settings.channels.per_second, kMostTargetRate);
    settings.target.duration = settings.channels.duration;
    auto report = peertool::measure_target(runtime, settings.target, watch.tick());
    return finish(settings, console, std::move(report), command_line, watch.interrupted());
  }
  auto rig = make_rig(settings, runtime, watch, settings.channels.snapshot_bytes);
  if (!rig) return tool::report_error(console, kProgram, rig.error());
  auto report = peertool::measure_channels(**rig, settings.channels, watch.tick());
  rig->reset();
  return finish(settings, console, std::move(report), command_line, watch.interrupted());
}

int run_heartbeat(Settings& settings, Runtime& runtime, Console& console,
                  const std::string& command_line) {
  auto fit = check_rig(settings);
  if (fit && !settings.plot.empty()) fit = check_writable(settings.plot);
  if (!fit) return tool::report_error(console, kProgram, fit.error());
  Watch watch(console, runtime, settings, "heartbeat");
  settings.heartbeat.one_connection = !settings.no_contrast;
  auto rig = make_rig(settings, runtime, watch, settings.heartbeat.snapshot_bytes);
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
  TRUSS_TRY(check_rig(settings));
  if (settings.profile != "recorded" && !settings.wal_dir.empty()) {
    return usage("--data-dir wants --profile recorded");
  }
  if (settings.profile.empty()) return peertool::Profile{.name = "256 bytes"};
  if (settings.profile != "recorded") {
    TRUSS_ASSIGN(const std::string text, slurp(settings.profile));
    return peertool::parse_profile(text, settings.profile);
  }
  if (settings.wal_dir.empty()) {
    return usage("--profile recorded wants --data-dir DIR");
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
  auto rig = make_rig(settings, runtime, watch, 0);
  if (!rig) return tool::report_error(console, kProgram, rig.error());
  auto report = peertool::measure_mix(**rig, settings.mix, watch.tick());
  rig->reset();
  return finish(settings, console, std::move(report), command_line, watch.interrupted());
}

int run_doctor(Settings& settings, Runtime& runtime, Console& console) {
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
