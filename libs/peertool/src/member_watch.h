#pragma once

#include <string>
#include <vector>

#include "getter.h"
#include "metrics_text.h"
#include "truss/peertool/doctor.h"

namespace truss::peertool {

/// What the members of a cluster say of themselves in their /metrics, before and after the other
/// tests: GET requests only. Blocks. Thread: one.
class MemberWatch {
 public:
  /// \param peers  peer URLs; the first that answers names all members and their client URLs
  MemberWatch(Runtime& runtime, std::vector<std::string> peers, Duration timeout);

  void begin();
  /// One of each member, this machine's included. Empty if no peer named any.
  std::vector<MemberFindings> end();

 private:
  struct Subject {
    MemberFindings findings;
    MetricsText before;
    MonoTime read_at;
  };
  void meet_members();
  void read(Subject& subject);

  Clock& clock_;
  Getter getter_;
  const std::vector<std::string> peers_;
  std::vector<Subject> subjects_;
};

/// What two readings, so many seconds apart, say. Pure.
void compare_readings(const MetricsText& before, const MetricsText& after, MemberFindings& out);

}  // namespace truss::peertool
