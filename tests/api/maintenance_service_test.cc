#include <openssl/sha.h>

#include "api_fixture.h"

using namespace truss;
using namespace truss::api;
using enum server::CompatLevel;

namespace {

pb::StatusResponse status(SimApi& api) {
  return api.call<pb::StatusResponse>("/etcdserverpb.Maintenance/Status", pb::StatusRequest())
      .value();
}

Result<pb::AlarmResponse> alarm(SimApi& api, int action, std::uint64_t member, int type) {
  pb::AlarmRequest request;
  request.set_action(static_cast<pb::AlarmRequest::AlarmAction>(action));
  request.set_memberid(member);
  request.set_alarm(static_cast<pb::AlarmType>(type));
  return api.call<pb::AlarmResponse>("/etcdserverpb.Maintenance/Alarm", request);
}

}  // namespace

TEST_CASE("maintenance: status shows what the level shows") {
  SimApi old(k34);
  auto got = status(old);
  CHECK(got.version() == "3.4.23");
  CHECK(got.leader() == old.server->member_id().value());
  CHECK(got.raftindex() == old.committed());
  CHECK(got.header().revision() == 1);
  CHECK(got.dbsize() > 0);
  CHECK(got.storageversion().empty());
  CHECK(got.dbsizequota() == 0);
  CHECK_FALSE(got.has_downgradeinfo());
  SimApi api(k36);
  api.world.run_for(std::chrono::seconds(1));
  got = status(api);
  CHECK(got.version() == "3.6.14");
  CHECK(got.storageversion() == "3.6.0");
  CHECK(got.dbsizequota() == 2147483648);
  CHECK(got.has_downgradeinfo());
}

TEST_CASE("maintenance: alarms go through the log, are shown, stop what they must") {
  SimApi api;
  const auto before = api.committed();
  CHECK(alarm(api, 0, 0, 0)->alarms().empty());
  CHECK(api.committed() == before + 1);
  const auto raised = alarm(api, 1, 77, 1);
  REQUIRE(raised);
  CHECK(raised->alarms(0).memberid() == 77);
  CHECK_FALSE(raised->has_header());
  CHECK(status(api).errors(0) == "memberID:77 alarm:NOSPACE ");
  CHECK(api.put("k", "v").error() ==
        Error{Code::kResourceExhausted, "etcdserver: mvcc: database space exceeded"});
  REQUIRE(alarm(api, 2, 0, 1));
  CHECK(!api.put("k", "v"));
  REQUIRE(alarm(api, 2, 77, 1));
  CHECK(api.put("k", "v"));
  SimApi newer(k36);
  CHECK(alarm(newer, 0, 0, 0)->has_header());
}

TEST_CASE("maintenance: an alarm of a kind that nobody knows keeps its number and stops nothing") {
  SimApi api;
  REQUIRE(alarm(api, 1, 77, 257));
  CHECK(alarm(api, 0, 0, 0)->alarms(0).alarm() == 257);
  CHECK(status(api).errors(0) == "memberID:77 alarm:257 ");
  CHECK(api.put("k", "v"));
}

TEST_CASE("maintenance: alarm requests that real members die of never reach the log") {
  SimApi api;
  const auto before = api.committed();
  const auto nothing = alarm(api, 1, 0, 0);
  REQUIRE(nothing);
  CHECK(nothing->alarms().empty());
  const auto unknown = alarm(api, 9, 1, 1);
  REQUIRE(!unknown);
  CHECK(unknown.error().code == Code::kInvalidArgument);
  CHECK(api.committed() == before);
}

TEST_CASE("maintenance: hashkv, with the revision hashed from 3.6 on") {
  for (const auto level : {k34, k36}) {
    SimApi api(level);
    REQUIRE(api.put("k", "v"));
    const auto got =
        api.call<pb::HashKVResponse>("/etcdserverpb.Maintenance/HashKV", pb::HashKVRequest());
    REQUIRE(got);
    CHECK(got->hash() != 0);
    CHECK(got->compact_revision() == -1);
    CHECK(got->hash_revision() == (level == k36 ? 2 : 0));
    CHECK(got->header().revision() == 2);
  }
}

TEST_CASE("maintenance: a snapshot is a db followed by its SHA-256") {
  SimApi api;
  for (int i = 0; i < 50; ++i) REQUIRE(api.put("k" + std::to_string(i), std::string(2000, 'x')));
  auto port = std::make_shared<FakePort>();
  const auto handler = api.open("/etcdserverpb.Maintenance/Snapshot", port);
  handler->on_message(SharedBytes());
  REQUIRE(api.world.run_until([&] { return port->finished.has_value(); }, std::chrono::seconds(5)));
  CHECK(port->finished->code == Code::kOk);
  std::string image;
  std::uint64_t remaining = 0;
  std::string last;
  while (auto piece = port->take<pb::SnapshotResponse>()) {
    image += last;
    last = piece->blob();
    if (!image.empty() && !port->sent.empty())
      CHECK(remaining == piece->remaining_bytes() + last.size());
    remaining = piece->remaining_bytes();
  }
  CHECK(remaining == 0);
  CHECK(image.size() % 4096 == 0);
  CHECK(image.size() >= 100'000);
  unsigned char digest[32];
  SHA256(reinterpret_cast<const unsigned char*>(image.data()), image.size(), digest);
  CHECK(last == std::string(std::begin(digest), std::end(digest)));
}

TEST_CASE("cluster: the list has no revision in its header; unknown members are not found") {
  SimApi api;
  const auto list =
      api.call<pb::MemberListResponse>("/etcdserverpb.Cluster/MemberList", pb::MemberListRequest());
  REQUIRE(list);
  CHECK(list->header().revision() == 0);
  CHECK(list->header().raft_term() != 0);
  REQUIRE(list->members_size() == 1);
  CHECK(list->members(0).name() == "m1");
  CHECK(list->members(0).clienturls(0) == "http://127.0.0.1:24800");
  pb::MemberAddRequest add;
  CHECK(api.call<pb::MemberAddResponse>("/etcdserverpb.Cluster/MemberAdd", add).error() ==
        Error{Code::kInvalidArgument, "etcdserver: given member URLs are invalid"});
  pb::MemberPromoteRequest promote;
  promote.set_id(5);
  CHECK(
      api.call<pb::MemberPromoteResponse>("/etcdserverpb.Cluster/MemberPromote", promote).error() ==
      Error{Code::kNotFound, "etcdserver: member not found"});
}

TEST_CASE("auth: off") {
  SimApi api;
  CHECK(api.call<pb::AuthenticateResponse>("/etcdserverpb.Auth/Authenticate",
                                           pb::AuthenticateRequest())
            .error() ==
        Error{Code::kFailedPrecondition, "etcdserver: authentication is not enabled"});
}
