#include "drive.h"

#include <atomic>
#include <chrono>
#include <memory>

namespace truss::peertool {
namespace {

using std::chrono::milliseconds;

constexpr auto kTick = milliseconds(200);
constexpr auto kLost = milliseconds(500);

/// Waits for the future, calling `tick` meanwhile. False if that wanted to stop.
template <class T>
bool wait_ticking(Rig& rig, std::future<T>& future, Duration expected, const Tick& tick) {
  const MonoTime start = rig.clock().now();
  while (future.wait_for(kTick) != std::future_status::ready) {
    const double done = std::chrono::duration<double>(rig.clock().now() - start) /
                        std::chrono::duration<double>(expected);
    if (tick && !tick(std::min(done, 1.0))) return false;
  }
  return true;
}

}  // namespace

void pause(Executor& executor, Clock& clock, Duration length) {
  std::promise<bool> over;
  auto future = over.get_future();
  executor.post_at(clock.now() + length, [&over] { over.set_value(true); });
  await(executor, std::move(future));
}

std::string channel_name(Channel channel) {
  switch (channel) {
    case Channel::kMessage:
      return "message";
    case Channel::kMsgApp:
      return "msgapp";
    case Channel::kPipeline:
      return "pipeline";
    case Channel::kSnapshot:
      break;
  }
  return "snapshot";
}

namespace {

/// The open loops of one call, on the rig's thread.
struct OpenRun {
  std::vector<std::shared_ptr<measure::OpenLoop>> loops;
  std::vector<std::uint64_t> lines;
  std::size_t running = 0;
  std::promise<void> ended;
};

void add_loop(Rig& rig, const std::shared_ptr<OpenRun>& run, Stream stream) {
  const std::size_t at = run->loops.size();
  std::weak_ptr<OpenRun> weak = run;
  const std::uint64_t line = rig.open_line([weak, at](std::uint64_t index, MonoTime when) {
    if (const auto self = weak.lock()) self->loops[at]->finish(index, when);
  });
  run->lines.push_back(line);
  run->loops.push_back(std::make_shared<measure::OpenLoop>(
      rig.executor(), rig.clock(), stream.spec,
      [&rig, line, channel = stream.channel, size = std::move(stream.size)](std::uint64_t index) {
        rig.send(channel, line, index, size ? size(index) : 0);
      },
      [weak] {
        const auto self = weak.lock();
        if (self && --self->running == 0) self->ended.set_value();
      }));
}

}  // namespace

std::vector<measure::OpenLoopResult> drive_open(Rig& rig, std::vector<Stream> streams,
                                                const Tick& tick) {
  const auto run = std::make_shared<OpenRun>();
  run->running = streams.size();
  Duration expected{};
  for (Stream& stream : streams) {
    expected = std::max(expected, stream.spec.warm_up + stream.spec.duration);
    add_loop(rig, run, std::move(stream));
  }
  auto ended = run->ended.get_future();
  for (const auto& loop : run->loops) loop->begin();
  wait_ticking(rig, ended, expected, tick);
  return on_rig(rig, [&] {
    std::vector<measure::OpenLoopResult> results;
    for (const auto& loop : run->loops) {
      loop->cancel();
      results.push_back(loop->result());
    }
    for (const std::uint64_t line : run->lines) rig.close_line(line);
    return results;
  });
}

ChannelWaits waits_of(Rig& rig, Channel channel) {
  return on_rig(rig, [&] { return rig.waits(channel); });
}

namespace {

/// A fixed number under way.
class Window : public std::enable_shared_from_this<Window> {
 public:
  Window(Rig& rig, Channel channel, std::size_t window, std::size_t payload_bytes)
      : rig_(rig), channel_(channel), window_(window), payload_bytes_(payload_bytes) {}

  void begin() {
    line_ = rig_.open_line([weak = weak_from_this()](std::uint64_t, MonoTime) {
      if (const auto self = weak.lock()) self->arrived();
    });
    started_ = rig_.clock().now();
    fill();
    look_for_losses();
  }
  WindowResult end() {
    over_ = true;
    rig_.close_line(line_);
    return {arrived_, std::chrono::duration<double>(rig_.clock().now() - started_).count()};
  }

 private:
  void fill() {
    for (; under_way_ < window_; ++under_way_) rig_.send(channel_, line_, next_++, payload_bytes_);
  }
  void arrived() {
    if (over_) return;
    ++arrived_;
    if (under_way_ > 0) --under_way_;
    if (!filling_) {  // once a turn, so that many leave together
      filling_ = true;
      rig_.executor().post([weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self || self->over_) return;
        self->filling_ = false;
        self->fill();
      });
    }
  }
  /// A channel that brings nothing for a while has lost what was under way.
  void look_for_losses() {
    const std::uint64_t before = arrived_;
    rig_.executor().post_at(rig_.clock().now() + kLost, [weak = weak_from_this(), before] {
      const auto self = weak.lock();
      if (!self || self->over_) return;
      if (self->arrived_ == before) self->under_way_ = 0;
      self->fill();
      self->look_for_losses();
    });
  }

  Rig& rig_;
  const Channel channel_;
  const std::size_t window_;
  const std::size_t payload_bytes_;
  std::uint64_t line_ = 0;
  MonoTime started_;
  std::uint64_t next_ = 0;
  std::size_t under_way_ = 0;
  std::uint64_t arrived_ = 0;
  bool filling_ = false;
  bool over_ = false;
};

}  // namespace

WindowResult drive_window(Rig& rig, Channel channel, std::size_t window, std::size_t payload_bytes,
                          Duration duration) {
  const auto run = std::make_shared<Window>(rig, channel, window, payload_bytes);
  rig.executor().post([run] { run->begin(); });
  std::promise<WindowResult> over;
  auto future = over.get_future();
  rig.executor().post_at(rig.clock().now() + duration,
                         [run, &over] { over.set_value(run->end()); });
  return await(rig.executor(), std::move(future));
}

TransferResult drive_snapshots(Rig& rig, std::uint64_t bytes, std::size_t count, const Tick& tick) {
  TransferResult out;
  for (std::size_t i = 0; i < count; ++i) {
    auto done = std::make_shared<std::promise<bool>>();
    auto future = done->get_future();
    const MonoTime start = rig.clock().now();
    rig.executor().post([&rig, bytes, done] {
      rig.send_snapshot(bytes, [done](bool delivered) { done->set_value(delivered); });
    });
    const auto tell = [&](double) {
      return !tick || tick(static_cast<double>(i) / static_cast<double>(count));
    };
    if (!wait_ticking(rig, future, std::chrono::hours(1), tell)) break;
    if (future.get()) {
      out.took.push_back(rig.clock().now() - start);
    } else {
      ++out.failed;
    }
  }
  return out;
}

}  // namespace truss::peertool
