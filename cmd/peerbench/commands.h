#pragma once

#include <memory>
#include <string>

#include "truss/common/executor.h"
#include "truss/peertool/channels.h"
#include "truss/peertool/doctor.h"
#include "truss/peertool/heartbeat.h"
#include "truss/peertool/limits.h"
#include "truss/peertool/profile.h"
#include "truss/peertool/rig.h"
#include "truss/peertool/target.h"
#include "truss/tool/command.h"
#include "truss/tool/output.h"

namespace truss::peerbench {

/// What the command line fills in.
struct Settings {
  tool::OutputOptions output;
  bool self = false;
  peertool::MemberRigOptions rig;  ///< an empty program: our own sink
  peertool::ChannelsOptions channels;
  peertool::HeartbeatOptions heartbeat;
  peertool::TargetOptions target;
  peertool::DoctorOptions doctor;
  peertool::LimitsOptions limits;
  peertool::MixOptions mix;
  bool measure_limits = false;
  bool no_contrast = false;
  std::string plot;
  std::string profile;
  std::string wal_dir;
  std::string earlier;
  std::string later;
};

/// The whole command line. `settings` and `runtime` are borrowed.
/// \param command_line  as it goes into reports
std::unique_ptr<tool::Command> make_commands(Settings& settings, Runtime& runtime,
                                             std::string command_line);

/// The bodies. Each returns the exit code.
int run_channels(Settings& settings, Runtime& runtime, tool::Console& console,
                 const std::string& command_line);
int run_heartbeat(Settings& settings, Runtime& runtime, tool::Console& console,
                  const std::string& command_line);
int run_mix(Settings& settings, Runtime& runtime, tool::Console& console,
            const std::string& command_line);
int run_doctor(Settings& settings, Runtime& runtime, tool::Console& console);
int run_compare(Settings& settings, tool::Console& console);

}  // namespace truss::peerbench
