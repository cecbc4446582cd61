#pragma once

#include <string>
#include <string_view>

#include "truss/common/clock.h"
#include "truss/common/error.h"

/// `GET /raft/probing`: is the peer there, how far, and what does its clock say.
/// *Source:* xiang90/probing (server.go, prober.go, status.go).
namespace truss::peer {

struct ProbeAnswer {
  bool ok = false;
  WallTime now;
};

/// `{"OK":true,"Now":"2026-11-22T07:25:55.586175972Z"}` and a newline.
std::string probe_json(WallTime now);
/// *Errors:* kInvalidArgument for what is no such object, or larger than 4 KiB.
Result<ProbeAnswer> parse_probe_json(std::string_view text);

/// What the probes of one peer came to. Thread: one.
class ProbeStatus {
 public:
  /// A probe sent at `sent` (monotonic) was answered at `got`, which was `wall` by our clock.
  void record(MonoTime sent, MonoTime got, WallTime wall, const ProbeAnswer& answer);
  void record_failure(std::string why);

  bool healthy() const { return healthy_; }
  /// Exponential average over the answers, 1/8 each; zero before the first.
  Duration smoothed_rtt() const { return rtt_; }
  /// Our clock minus the peer's, as of the latest answer.
  Duration clock_difference() const { return clock_difference_; }
  const std::string& last_error() const { return last_error_; }

 private:
  bool healthy_ = false;
  Duration rtt_{};
  Duration clock_difference_{};
  std::string last_error_;
};

}  // namespace truss::peer
