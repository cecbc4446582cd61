#pragma once

#include <cstdint>
#include <string>

#include "history.h"

namespace truss::cluster {

struct CheckOptions {
  /// Search steps for one key before the checker gives up, which is a failure, too.
  std::uint64_t most_steps = 3'000'000;
};

struct Verdict {
  bool linearizable = true;
  std::string complaint;      ///< what can't be explained, and by which operations around it
  std::uint64_t steps = 0;    ///< of the search, over all keys
  std::uint64_t unknown = 0;  ///< writes without a verdict
};

/// Whether some order of the operations that keeps real time (an operation that ended before
/// another started comes first) explains every answer, for keys that are absent at the start.
///
/// Each key is a register of its own: values, absence, and the revisions that answers tell (a read
/// must name the revision of the write that it saw; later writes have larger ones). A write of
/// unknown outcome may take effect once at any moment after its start, or never. Over all keys,
/// acknowledged writes must have distinct revisions that agree with real time.
///
/// The search is depth first over the operations that may come next, remembering the sets of
/// operations already placed and the state they left (Wing and Gong 1993; Lowe 2017).
Verdict check_linearizable(const History& history, const CheckOptions& options = {});

}  // namespace truss::cluster
