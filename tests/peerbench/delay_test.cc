// Honesty: what a proxy adds is what peerbench reports.
#include <doctest/doctest.h>

#include "delay_proxy.h"
#include "drive.h"
#include "truss/peertool/target.h"

using namespace truss;
using namespace truss::peertool;
using namespace truss::peertool::testing;
using namespace std::chrono_literals;

namespace {

/// Median latency of a channel in ms, at a low rate, through proxies with that delay.
double median_ms(Channel channel, Duration delay) {
  ThreadRuntime runtime;
  std::vector<std::unique_ptr<DelayProxy>> proxies;
  RigOptions options;
  options.through = [&](const std::string& url) {
    proxies.push_back(std::make_unique<DelayProxy>(url, delay));
    return proxies.back()->url();
  };
  const auto rig = make_self_rig(runtime, options);
  REQUIRE(rig.has_value());
  std::vector<Stream> streams;
  streams.push_back({channel,
                     {.per_second = 200, .warm_up = 300ms, .duration = 1500ms},
                     [](std::uint64_t) { return 256; }});
  const auto result = drive_open(**rig, std::move(streams), {});
  CHECK(result.front().answered == 300);
  return result.front().latency().quantile(0.5) / 1e6;
}

}  // namespace

TEST_CASE("5 ms that a proxy adds are reported within a tenth, on every small channel") {
  for (const Channel channel : {Channel::kMessage, Channel::kMsgApp, Channel::kPipeline}) {
    CAPTURE(channel_name(channel));
    const double added = median_ms(channel, 5ms) - median_ms(channel, 0ms);
    CHECK(added > 4.5);
    CHECK(added < 5.5);
  }
}
