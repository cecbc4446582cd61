#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <string>
#include <vector>

#include "truss/common/await.h"
#include "truss/measure/open_loop.h"
#include "truss/peertool/channels.h"
#include "truss/peertool/rig.h"

/// Ways to drive a rig; each blocks until it is over. *Thread:* any but the rig's.
namespace truss::peertool {

/// Runs `body` on the rig's thread and returns what it returns.
template <class Body>
auto on_rig(Rig& rig, Body body) {
  std::promise<decltype(body())> promise;
  auto future = promise.get_future();
  rig.executor().post([&promise, &body] { promise.set_value(body()); });
  return await(rig.executor(), std::move(future));
}

/// Waits, by a timer of the executor.
void pause(Executor& executor, Clock& clock, Duration length);

/// `message`, `msgapp`, `pipeline`, `snapshot`.
std::string channel_name(Channel channel);

/// One open loop on one channel.
struct Stream {
  Channel channel = Channel::kMessage;
  measure::OpenLoopSpec spec;
  /// Payload bytes of message `index`.
  std::function<std::size_t(std::uint64_t index)> size;
};
/// All at once; results in the order given. Stopped early, they hold what came until then.
std::vector<measure::OpenLoopResult> drive_open(Rig& rig, std::vector<Stream> streams,
                                                const Tick& tick);

/// Rig::waits() from another thread.
ChannelWaits waits_of(Rig& rig, Channel channel);

struct WindowResult {
  std::uint64_t arrived = 0;
  double seconds = 0;
};
/// As fast as it goes with `window` messages under way. Those that get lost are made up for.
WindowResult drive_window(Rig& rig, Channel channel, std::size_t window, std::size_t payload_bytes,
                          Duration duration);

struct TransferResult {
  std::vector<Duration> took;  ///< of each, from the call to the answer
  std::uint64_t failed = 0;
};
/// `count` snapshots one after the other.
TransferResult drive_snapshots(Rig& rig, std::uint64_t bytes, std::size_t count, const Tick& tick);

}  // namespace truss::peertool
