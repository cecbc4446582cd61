#pragma once

#include <atomic>
#include <string>

#include "context.h"
#include "dispatcher.h"

namespace truss::api {

/// Outcomes of /health and /metrics, counted for /metrics.
struct HealthCounters {
  std::atomic<std::uint64_t> successes{0};
  std::atomic<std::uint64_t> failures{0};
  std::atomic<std::uint64_t> scrapes{0};  ///< of /metrics
};

/// The scrape: etcd's metric names and types for everything that this member measures.
std::string metrics_scrape(const Context& context, const Dispatcher& dispatcher,
                           const HealthCounters& health);

}  // namespace truss::api
