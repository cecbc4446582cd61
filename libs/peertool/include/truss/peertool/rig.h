#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "truss/common/error.h"
#include "truss/common/executor.h"
#include "truss/measure/histogram.h"
#include "truss/peer/observer.h"

namespace truss::peertool {

using peer::Channel;

/// How messages of one channel fared on their way out of here.
struct ChannelWaits {
  measure::Histogram queue_wait{};    ///< from the channel's queue to the connection
  measure::Histogram head_of_line{};  ///< of it, at the head: what everything behind it waited for
};

/// Somebody to send to over the real channels, and the sending end, with libs/peer at both or at
/// ours. Every message has a number, by which its arrival (or its answer) is told.
///
/// Thread: all but executor(), clock(), open_line(), close_line() and stop() on executor().
class Rig {
 public:
  /// Message `index` of a line arrived, or was answered, at `at`. Thread: the rig's.
  using Arrived = std::function<void(std::uint64_t index, MonoTime at)>;

  virtual ~Rig() = default;

  /// `self`, `etcd 3.4.23`.
  virtual std::string subject() const = 0;
  /// What a latency is: `one way` or `round trip`.
  virtual std::string measured() const = 0;
  virtual Executor& executor() = 0;
  virtual Clock& clock() = 0;

  /// A numbering of messages of its own. Thread: any.
  virtual std::uint64_t open_line(Arrived arrived) = 0;
  virtual void close_line(std::uint64_t line) = 0;

  /// Sends message `index` (below 2^48) of `line`: a heartbeat on the message stream or through the
  /// pipeline, an append with one entry on the msgapp stream.
  /// \param payload_bytes  of the entry; heartbeats have their own size
  virtual void send(Channel channel, std::uint64_t line, std::uint64_t index,
                    std::size_t payload_bytes) = 0;
  /// Sends a database of so many bytes, nothing of which is kept, over the snapshot channel.
  /// One at a time.
  virtual void send_snapshot(std::uint64_t bytes, std::function<void(bool delivered)> done) = 0;

  /// Bytes of such a message on the wire, without HTTP.
  virtual std::size_t wire_bytes(Channel channel, std::size_t payload_bytes) const = 0;
  /// Since the last reset_waits().
  virtual ChannelWaits waits(Channel channel) const = 0;
  virtual void reset_waits() = 0;
  /// Messages that a full queue refused, so far.
  virtual std::uint64_t dropped() const = 0;
};

struct RigOptions {
  /// Gives the URL at which the other end finds the one given: a proxy's, that stands before it, to
  /// test the tool itself. Null: the same.
  std::function<std::string(const std::string& url)> through{};
  std::uint64_t snapshot_bytes_per_second = 0;  ///< 0: no limit
  /// Asked now and then while it starts; false gives up. Thread: the caller's and the rig's.
  std::function<bool()> go_on{};
};

/// A sink of our own on loopback, in this process, with a thread of its own. Latencies are one way.
/// Errors: kUnavailable if no port can be had; kCanceled if told to give up.
Result<std::unique_ptr<Rig>> make_self_rig(Runtime& runtime, const RigOptions& options);

/// A throwaway member: starts `program` (any that takes etcd's flags: a path, or a name in PATH) in
/// a temporary directory, as a cluster of two whose other voter, and leader, is this process.
/// Latencies are round trips: heartbeat to answer, append to acknowledgement (synced by the
/// member). The directory goes with it.
/// Errors: kNotFound for no such program; kUnavailable if it doesn't come up or doesn't vote for
/// us, with the end of its log; kResourceExhausted if the temporary directory has no room;
/// kCanceled if told to give up.
struct MemberRigOptions : RigOptions {
  std::string program{};
  std::string temp_dir{};            ///< where the directory is made; empty: $TMPDIR, /tmp
  std::uint64_t snapshot_bytes = 0;  ///< the largest that will be sent: room for two is needed
  bool keep = false;                 ///< leaves the directory behind
};
Result<std::unique_ptr<Rig>> make_member_rig(Runtime& runtime, const MemberRigOptions& options);

}  // namespace truss::peertool
