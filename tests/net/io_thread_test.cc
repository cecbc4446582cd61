#include <doctest/doctest.h>

#include <vector>

#include "socket_support.h"

namespace truss::net {
namespace {

using namespace std::chrono_literals;
using namespace testing;  // NOLINT: one file

TEST_CASE("an IoThread is an executor: order, timers, cancel, stop") {
  SystemClock clock;
  IoThread thread("order", clock);
  std::vector<int> order;
  Counter done;
  const MonoTime now = clock.now();
  thread.post_at(now + 40ms, [&] {
    order.push_back(4);
    done.add();
  });
  thread.post_at(now + 20ms, [&] { order.push_back(3); });
  const TimerId doomed = thread.post_at(now + 30ms, [&] { order.push_back(99); });
  thread.cancel(doomed);
  thread.post([&] { order.push_back(1); });
  thread.post([&] {
    CHECK(thread.is_current());
    order.push_back(2);
  });
  CHECK_FALSE(thread.is_current());
  REQUIRE(done.reaches(1));
  thread.stop();
  CHECK(order == std::vector<int>{1, 2, 3, 4});
  thread.post([&] { order.push_back(100); });
  thread.stop();
  CHECK(order.size() == 4);
}

}  // namespace
}  // namespace truss::net
