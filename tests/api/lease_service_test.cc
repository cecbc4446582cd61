#include "api_fixture.h"

using namespace truss;
using namespace truss::api;

namespace {

Result<pb::LeaseGrantResponse> grant(SimApi& api, std::int64_t id, std::int64_t ttl) {
  pb::LeaseGrantRequest request;
  request.set_id(id);
  request.set_ttl(ttl);
  return api.call<pb::LeaseGrantResponse>("/etcdserverpb.Lease/LeaseGrant", request);
}

pb::LeaseTimeToLiveResponse time_to_live(SimApi& api, std::int64_t id) {
  pb::LeaseTimeToLiveRequest request;
  request.set_id(id);
  request.set_keys(true);
  return api.call<pb::LeaseTimeToLiveResponse>("/etcdserverpb.Lease/LeaseTimeToLive", request)
      .value();
}

SharedBytes keep_alive(std::int64_t id) {
  pb::LeaseKeepAliveRequest request;
  request.set_id(id);
  return serialize(request);
}

}  // namespace

TEST_CASE("lease: grant, look up, list, revoke") {
  SimApi api;
  const auto granted = grant(api, 100, 60);
  REQUIRE(granted);
  CHECK(granted->id() == 100);
  CHECK(granted->ttl() == 60);
  CHECK(granted->header().revision() == 1);
  CHECK(grant(api, 0, 60)->id() > 0);
  CHECK(grant(api, 101, -5)->ttl() == 2);
  REQUIRE(api.put("k", "v", 100));
  const auto ttl = time_to_live(api, 100);
  CHECK(ttl.grantedttl() == 60);
  CHECK(ttl.ttl() <= 60);
  CHECK(ttl.keys(0) == "k");
  CHECK(time_to_live(api, 5).ttl() == -1);
  const auto list = api.call<pb::LeaseLeasesResponse>("/etcdserverpb.Lease/LeaseLeases",
                                                      pb::LeaseLeasesRequest());
  CHECK(list->leases_size() == 3);
  pb::LeaseRevokeRequest revoke;
  revoke.set_id(100);
  CHECK(api.call<pb::LeaseRevokeResponse>("/etcdserverpb.Lease/LeaseRevoke", revoke)
            ->header()
            .revision() == 3);
  CHECK(!api.server.get("k"));
  const auto again = api.call<pb::LeaseRevokeResponse>("/etcdserverpb.Lease/LeaseRevoke", revoke);
  CHECK(again.error() == Error{Code::kNotFound, "etcdserver: requested lease not found"});
}

TEST_CASE("lease: errors") {
  SimApi api;
  REQUIRE(grant(api, 100, 60));
  CHECK(grant(api, 100, 60).error() ==
        Error{Code::kFailedPrecondition, "etcdserver: lease already exists"});
  CHECK(grant(api, 1, 9'000'000'001).error() ==
        Error{Code::kOutOfRange, "etcdserver: too large lease TTL"});
}

TEST_CASE("lease: keep-alives are answered one each, in order; absent leases with TTL 0") {
  SimApi api;
  REQUIRE(grant(api, 100, 60));
  auto port = std::make_shared<FakePort>();
  const auto handler = api.open("/etcdserverpb.Lease/LeaseKeepAlive", port);
  for (int i = 0; i < 200; ++i) handler->on_message(keep_alive(i % 2 == 0 ? 100 : 5));
  handler->on_half_close();
  api.world.run_for(std::chrono::seconds(5));
  REQUIRE(port->sent.size() == 200);
  for (int i = 0; i < 200; ++i) {
    const auto got = port->take<pb::LeaseKeepAliveResponse>();
    CHECK(got->id() == (i % 2 == 0 ? 100 : 5));
    CHECK(got->ttl() == (i % 2 == 0 ? 60 : 0));
    CHECK(got->header().revision() == 1);
  }
  REQUIRE(port->finished);
  CHECK(port->finished->code == Code::kOk);
}

TEST_CASE("lease: time passes, keep-alive starts it anew, expiry deletes the keys") {
  SimApi api;
  REQUIRE(grant(api, 100, 10));
  REQUIRE(api.put("k", "v", 100));
  api.world.run_for(std::chrono::seconds(6));
  CHECK(time_to_live(api, 100).ttl() <= 4);
  auto port = std::make_shared<FakePort>();
  const auto handler = api.open("/etcdserverpb.Lease/LeaseKeepAlive", port);
  handler->on_message(keep_alive(100));
  api.settle();
  CHECK(time_to_live(api, 100).ttl() >= 9);
  api.world.run_for(std::chrono::seconds(8));
  CHECK(api.server.get("k") == "v");
  api.world.run_for(std::chrono::seconds(5));
  CHECK(!api.server.get("k"));
  CHECK(time_to_live(api, 100).ttl() == -1);
}
