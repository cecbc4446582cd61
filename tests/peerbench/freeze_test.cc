// Honesty: a freeze is seen by everything that fell due in it.
#include <doctest/doctest.h>

#include <thread>

#include "delay_proxy.h"
#include "drive.h"
#include "truss/peertool/report.h"

using namespace truss;
using namespace truss::peertool;
using namespace truss::peertool::testing;
using namespace std::chrono_literals;

TEST_CASE("a freeze of 1 s in a run of 60 s at 1000 a second, for real") {
  ThreadRuntime runtime;
  std::vector<std::unique_ptr<DelayProxy>> proxies;
  RigOptions options;
  options.through = [&](const std::string& url) {
    proxies.push_back(std::make_unique<DelayProxy>(url, 0ms));
    return proxies.back()->url();
  };
  const auto rig = make_self_rig(runtime, options);
  REQUIRE(rig.has_value());
  std::vector<Stream> streams;
  streams.push_back({Channel::kMessage, {.per_second = 1000, .warm_up = 1s, .duration = 60s}, {}});
  std::thread freezer([&] {
    std::this_thread::sleep_for(30s);
    for (const auto& proxy : proxies) proxy->freeze(1s);
  });
  const auto result = drive_open(**rig, std::move(streams), {});
  freezer.join();
  const measure::Histogram latency = result.front().latency();
  const measure::Histogram& naive = result.front().closed_loop;
  MESSAGE("open loop:\n", draw(latency, 40), "naive closed loop:\n", draw(naive, 40));
  CHECK(latency.count() == 60'000);
  const std::uint64_t delayed = latency.count_above(20ms);
  MESSAGE("later than 20 ms: ", delayed, ", p99 ", latency.quantile(0.99) / 1e6, " ms, p99.9 ",
          latency.quantile(0.999) / 1e6, " ms; naive: p99.9 ", naive.quantile(0.999) / 1e6, " ms");
  CHECK(delayed > 900);
  CHECK(delayed < 1200);
  CHECK(latency.quantile(0.99) / 1e6 > 350);
  CHECK(latency.quantile(0.999) / 1e6 > 850);
  CHECK(naive.count_above(500ms) == 1);
  CHECK(naive.quantile(0.999) / 1e6 < 100);
}
