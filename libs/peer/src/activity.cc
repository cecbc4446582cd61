#include "activity.h"

#include "truss/peer/text.h"

namespace truss::peer {

void Activity::works(MonoTime now) {
  if (since() != MonoTime{}) return;
  since_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  logger_.info("peer became active", {{"peer-id", id_text(peer_.value())}});
}

void Activity::failed(std::string_view action, std::string_view why) {
  const bool was_active = since() != MonoTime{};
  since_.store(0, std::memory_order_relaxed);
  if (was_active) counts_->disconnects.fetch_add(1, std::memory_order_relaxed);
  logger_.log(was_active ? LogLevel::kWarn : LogLevel::kDebug,
              was_active ? "peer became inactive (message send to peer failed)"
                         : "failed to reach the peer again",
              {{"peer-id", id_text(peer_.value())}, {"action", action}, {"error", why}});
}

}  // namespace truss::peer
