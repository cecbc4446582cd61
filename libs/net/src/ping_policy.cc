#include "ping_policy.h"

#include <utility>

namespace truss::net {
namespace {

constexpr int kMaxPingStrikes = 2;
constexpr auto kIdlePingTime = std::chrono::hours(2);  // grpc-go's defaultPingTimeout

}  // namespace

bool PingPolicy::accept_ping(MonoTime now, bool calls_open) {
  const std::optional<MonoTime> previous = std::exchange(last_ping_, now);
  if (std::exchange(reset_, false)) {
    strikes_ = 0;
    return true;
  }
  const bool idle = !calls_open && !options_.keepalive_without_calls;
  const Duration least = idle ? Duration(kIdlePingTime) : options_.keepalive_min_time;
  if (previous && now - *previous < least) ++strikes_;
  return strikes_ <= kMaxPingStrikes;
}

}  // namespace truss::net
