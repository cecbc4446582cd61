#include "api_fixture.h"
#include "truss/server/errors.h"

/// Streams that asked for a leader end when there is none; the others stay.
using namespace truss;
using namespace truss::api;

namespace {

std::shared_ptr<FakePort> watch(SimApi& api, bool needs_leader) {
  auto port = std::make_shared<FakePort>();
  CallInfo info;
  info.require_leader = needs_leader;
  REQUIRE(api.open("/etcdserverpb.Watch/Watch", port, info));
  return port;
}

}  // namespace

TEST_CASE("a stream that needs a leader ends with etcd's words when the leader is lost") {
  SimApi api;
  const auto needs = watch(api, true);
  const auto does_not = watch(api, false);
  const auto gone = watch(api, true);
  gone->finish({Code::kCanceled, "the client left"});
  api.settle();
  CHECK_FALSE(needs->finished);

  api.services->dispatcher.leader_lost();
  REQUIRE(needs->finished);
  CHECK(*needs->finished == server::errors::no_leader());
  CHECK_FALSE(does_not->finished);
  CHECK(gone->finished->code == Code::kCanceled);

  // Told once; what is opened afterwards waits for the next loss.
  const auto later = watch(api, true);
  CHECK_FALSE(later->finished);
  api.services->dispatcher.leader_lost();
  CHECK(*later->finished == server::errors::no_leader());
}
