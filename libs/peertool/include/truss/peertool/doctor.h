#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "truss/measure/histogram.h"
#include "truss/peertool/channels.h"
#include "truss/peertool/report.h"

namespace truss::peertool {

struct DoctorOptions {
  std::string data_dir{};                       ///< empty: no test of the disk
  std::vector<std::string> peers{};             ///< peer URLs, `http://10.0.0.2:2380`
  Duration duration = std::chrono::seconds(5);  ///< of each test
  Duration timeout = std::chrono::seconds(2);   ///< of one request to a peer
};

/// What the tests saw; zero counts: not tested.
struct DiskFindings {
  std::string file_system{};   ///< `ext4`
  measure::Histogram syncs{};  ///< fdatasync of an append, without what we waited for a processor
  std::uint64_t free_bytes = 0;
};
struct PeerFindings {
  std::string url{};
  measure::Histogram round_trips{};  ///< from when a probe was due
  std::uint64_t sent = 0;
  std::uint64_t failed = 0;
  std::optional<Duration> clock_ahead{};  ///< its clock minus ours, from the quickest probe
  Duration clock_error{};                 ///< half that probe's round trip
  std::string error{};                    ///< of the last failure
};
struct ProcessorFindings {
  double stolen = 0;             ///< share of busy time that we wanted and others had
  measure::Histogram wake_up{};  ///< how late a sleeping thread runs
  double hypervisor = 0;         ///< share of the machine's time that the host took (steal)
};
/// A distribution that a member keeps of itself.
struct SelfReported {
  std::uint64_t count = 0;  ///< 0: too few to tell
  double p99_ms = 0;
  bool since_start = false;  ///< there were too few while we looked
};
/// What a member's counters say, from the start of the tests to their end.
struct MemberFindings {
  std::string name{};
  std::string url{};  ///< a client URL
  double seconds = 0;
  double not_applied = 0;  ///< entries committed and not applied, the greater of both readings
  double applied = 0;      ///< entries meanwhile
  double slow_applies = 0;
  double dropped = 0;  ///< messages to peers
  double late_heartbeats = 0;
  double leader_changes = 0;
  SelfReported sync{};    ///< of its WAL
  SelfReported commit{};  ///< of its backend
  std::string error{};    ///< why nothing is known
};
struct Findings {
  std::optional<DiskFindings> disk{};
  std::vector<PeerFindings> peers{};
  ProcessorFindings processor{};
  std::vector<MemberFindings> members{};
};

enum class Verdict : std::uint8_t { kPass, kWarn, kFail };
std::string verdict_name(Verdict verdict);

/// One measure of a check: above `warn` a warning, above `fail` a failure.
struct Measure {
  std::string name{};  ///< `fdatasync p99`
  double value = 0;
  std::string unit{};  ///< `us`, `%`, `/s`; empty for a count
  double warn = 0;
  double fail = 0;
};

struct Check {
  /// `disk`, `network URL`, `clock URL`, `processor`; of each member that shows its metrics
  /// `disk of NAME`, `apply of NAME`, `channels of NAME`.
  std::string name{};
  std::string verdict{};  ///< `pass`, `warn`, `fail`
  std::string value{};    ///< `fdatasync p99 0.8 ms`
  std::string limit{};    ///< `warn above 10 ms, fail above 50 ms`
  std::string advice{};   ///< empty if it passes
  double severity = 0;    ///< value over the limit for a warning: above 1 is not good
  std::vector<Measure> measures{};
};

struct Diagnosis {
  std::string schema = kSchema;
  std::string kind = "doctor";
  std::string machine{};
  std::string date{};
  std::vector<Check> checks{};
  std::string bottleneck{};  ///< name of the check that holds the cluster back; `none`
  std::uint64_t heartbeat_interval_ms = 100;
  std::uint64_t election_timeout_ms = 1000;
  std::string flags{};               ///< `--heartbeat-interval=100 --election-timeout=1000`
  std::string reason{};              ///< of these
  std::vector<std::string> notes{};  ///< what was not tested, and why
};

/// Runs the tests, the disk's in a file without a name in that directory: nothing of it changes.
/// Members are only asked (probing, members, metrics).
/// Errors: kNotFound for no such directory, kCanceled if told to stop, I/O.
Result<Findings> examine(Runtime& runtime, const DoctorOptions& options, const Tick& tick);

/// What the findings mean. Pure.
Diagnosis diagnose(const Findings& findings);

Verdict worst(const Diagnosis& diagnosis);
std::string render(const Diagnosis& diagnosis, tool::Format format);

}  // namespace truss::peertool
