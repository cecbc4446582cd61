// The open loop on a simulated clock, against subjects whose stalls are known.
#include "truss/measure/open_loop.h"

#include <doctest/doctest.h>

#include <memory>

#include "truss/common/testing/sim_runtime.h"

using namespace truss;
using namespace truss::measure;
using namespace std::chrono_literals;

namespace {

/// A server that answers one request after the other, each in `service`, but for a freeze.
class Subject {
 public:
  Subject(Executor& executor, Clock& clock, Duration service)
      : executor_(executor), clock_(clock), service_(service) {}

  void freeze(MonoTime from, Duration length) {
    frozen_from_ = from;
    frozen_to_ = from + length;
  }
  void request(std::function<void(MonoTime)> answer) {
    MonoTime start = std::max(clock_.now(), free_at_);
    if (start >= frozen_from_ && start < frozen_to_) start = frozen_to_;
    free_at_ = start + service_;
    executor_.post_at(free_at_, [this, answer = std::move(answer)] { answer(clock_.now()); });
  }

 private:
  Executor& executor_;
  Clock& clock_;
  const Duration service_;
  MonoTime free_at_{};
  MonoTime frozen_from_ = MonoTime::max();
  MonoTime frozen_to_ = MonoTime::max();
};

struct Run {
  explicit Run(OpenLoopSpec spec, Duration service)
      : subject(*executor, world.clock(), service),
        loop(std::make_shared<OpenLoop>(
            *executor, world.clock(), spec,
            [this](std::uint64_t index) {
              subject.request([this, index](MonoTime at) { loop->finish(index, at); });
            },
            [this] { ended = true; })) {}
  const OpenLoopResult& go() {
    loop->begin();
    REQUIRE(world.run_until([&] { return ended; }, 5min));
    return loop->result();
  }

  testing::SimRuntime world{1};
  std::unique_ptr<Executor> executor = world.make_executor("load");
  Subject subject;
  std::shared_ptr<OpenLoop> loop;
  bool ended = false;
};

double ms(double ns) { return ns / 1e6; }

}  // namespace

TEST_CASE("a freeze of 1 s in 60 s at 1000 a second delays about 1000 samples") {
  Run run({.per_second = 1000, .warm_up = 1s, .duration = 60s}, 100us);
  run.subject.freeze(run.world.clock().now() + 31s, 1s);
  const OpenLoopResult& result = run.go();
  const Histogram latency = result.latency();
  CHECK(latency.count() == 60'000);
  const std::uint64_t delayed = latency.count_above(2ms);
  CHECK(delayed > 950);
  CHECK(delayed < 1200);
  CHECK(ms(latency.quantile(0.5)) < 0.2);
  CHECK(ms(latency.quantile(0.99)) > 350);
  CHECK(ms(latency.quantile(0.999)) > 850);
  CHECK(ms(static_cast<double>(latency.greatest())) == doctest::Approx(1000).epsilon(0.01));

  // The naive figure of the same answers hides it.
  CHECK(result.closed_loop.count_above(2ms) <= 5);  // the freeze, and its backlog
  CHECK(ms(result.closed_loop.quantile(0.999)) < 1);
}

TEST_CASE("without a stall both figures agree") {
  Run run({.per_second = 500, .warm_up = 100ms, .duration = 4s}, 300us);
  const OpenLoopResult& result = run.go();
  CHECK(result.started == 2000);
  CHECK(result.answered == 2000);
  CHECK(result.failed + result.unfinished == 0);
  CHECK(result.batches.size() == 20);
  for (const Histogram& batch : result.batches) CHECK(batch.count() == 100);
  CHECK(ms(result.latency().quantile(0.99)) == doctest::Approx(0.3).epsilon(0.05));
  CHECK(result.closed_loop.quantile(0.99) ==
        doctest::Approx(result.latency().quantile(0.99)).epsilon(0.01));
  CHECK(ms(result.lag.quantile(0.999)) < 0.1);
}

TEST_CASE("more than the subject can do: the queue grows, and shows") {
  Run run({.per_second = 1000, .warm_up = 0s, .duration = 2s, .patience = 10s}, 2ms);
  const OpenLoopResult& result = run.go();
  CHECK(result.answered == 2000);
  CHECK(ms(result.latency().quantile(0.5)) > 900);
  CHECK(ms(result.closed_loop.quantile(0.5)) < 100);
}

TEST_CASE("what is never answered counts with the time it has waited") {
  Run run({.per_second = 100, .warm_up = 0s, .duration = 1s, .patience = 2s}, 1ms);
  run.subject.freeze(run.world.clock().now() + 500ms, 1h);
  const OpenLoopResult& result = run.go();
  CHECK(result.unfinished >= 49);
  CHECK(result.unfinished <= 51);
  CHECK(result.latency().count() == 100);
  CHECK(ms(result.latency().quantile(0.9)) > 2000);
}

TEST_CASE("Poisson arrivals have the rate asked for, and the same times for the same seed") {
  const OpenLoopSpec spec{
      .per_second = 2000, .warm_up = 0s, .duration = 5s, .arrivals = Arrivals::kPoisson, .seed = 3};
  Run a(spec, 1us);
  Run b(spec, 1us);
  const OpenLoopResult& first = a.go();
  CHECK(first.started > 9600);
  CHECK(first.started < 10'400);
  CHECK(b.go().started == first.started);
}

TEST_CASE("too many under way: the rest is counted as failed, not forgotten") {
  Run run({.per_second = 1000, .warm_up = 0s, .duration = 1s, .patience = 1s, .most_waiting = 10},
          1h);
  const OpenLoopResult& result = run.go();
  CHECK(result.unfinished == 10);
  CHECK(result.failed == 990);
}
