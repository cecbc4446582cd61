#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "truss/common/error.h"
#include "truss/common/file_system.h"
#include "truss/peertool/channels.h"
#include "truss/peertool/report.h"
#include "truss/peertool/rig.h"

namespace truss::peertool {

/// Payloads of so many bytes, `weight` times as often as those of weight 1.
struct PayloadSize {
  std::uint64_t bytes = 0;
  double weight = 1;
};

/// What a cluster's leader sends to one follower.
struct Profile {
  std::string name{};                 ///< where it comes from; not part of the file
  double heartbeats_per_second = 10;  ///< on the message stream
  double appends_per_second = 1000;   ///< on the msgapp stream, arriving as from many clients
  double posts_per_second = 0;        ///< through the pipeline
  std::vector<PayloadSize> append_sizes = {{256, 1}};
};

/// A Cereal JSON archive of a Profile, all keys of which must be there. Errors: kCorruption;
/// kInvalidArgument for no sizes, rates or weights out of range, payloads above 1 MiB.
Result<Profile> parse_profile(const std::string& json, const std::string& path);
std::string profile_json(const Profile& profile);

/// The sizes of the entries in a WAL, which is only read and may be in use: a torn end is the end.
/// \param dir  a data directory, `member` directory or `wal` directory
/// Errors: kNotFound for no WAL, kCorruption for a damaged one or one without normal entries; I/O.
Result<Profile> record_profile(FileSystem& files, const std::string& dir);

struct MixOptions {
  Profile profile{};
  double rate = 0;  ///< appends a second; 0: the profile's
  Duration warm_up = std::chrono::seconds(1);
  Duration duration = std::chrono::seconds(10);
  std::uint64_t seed = 1;
};
/// All channels of the profile at once. Errors: kUnavailable if nothing comes back.
Result<Report> measure_mix(Rig& rig, const MixOptions& options, const Tick& tick);

}  // namespace truss::peertool
