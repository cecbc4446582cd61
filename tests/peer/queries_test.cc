// What one member asks another outside of raft, over loopback sockets.
#include "truss/peer/queries.h"

#include <future>

#include "loopback.h"
#include "truss/test_support/localhost.h"

using namespace truss;
using namespace truss::peer;
using namespace truss::peer::testing;
using std::chrono::seconds;

namespace {

struct Asker {
  Asker() { station.start(); }

  /// Calls a method of Queries and waits for its answer.
  template <class T, class... Args>
  Result<T> ask(void (Queries::*method)(const std::string&, Args...), auto... given) {
    return ask_at<T>(station.url, method, given...);
  }
  template <class T, class... Args>
  Result<T> ask_at(const std::string& url, void (Queries::*method)(const std::string&, Args...),
                   auto... given) {
    std::promise<Result<T>> promise;
    (queries.*method)(url, given..., seconds(10),
                      [&](Result<T> answer) { promise.set_value(std::move(answer)); });
    return promise.get_future().get();
  }

  Station station{1};
  ThreadRuntime runtime;
  net::IoThread thread{"asker", runtime.clock()};
  Queries queries{thread, runtime};
};

}  // namespace

TEST_CASE("questions are answered") {
  Asker a;
  const auto members = a.ask<Queries::Members>(&Queries::members);
  REQUIRE(members.has_value());
  CHECK(members->cluster == ClusterId(0xc));
  CHECK(members->members.empty());
  CHECK(a.ask<Versions>(&Queries::version).value().server == "3.4.23");
  CHECK(a.ask<std::int64_t>(&Queries::renew_lease, std::int64_t{7}).value() == 60);
  const auto lease = a.ask<LeaseTimeToLive>(&Queries::lease_time_to_live, std::int64_t{7}, true);
  REQUIRE(lease.has_value());
  CHECK(lease->granted_ttl_seconds == 60);
  CHECK(lease->keys == std::vector<std::string>{"k"});
  CHECK(a.ask<std::vector<MemberInfo>>(&Queries::promote, raft::NodeId(7)).value().empty());
  CHECK(a.ask<HashKv>(&Queries::hash_kv, ClusterId(0xc), std::int64_t{9}).value().hash ==
        3633481485);
}

TEST_CASE("refusals keep their meaning and their words") {
  Asker a;
  const auto renewal = a.ask<std::int64_t>(&Queries::renew_lease, std::int64_t{404});
  CHECK(renewal.error() == Error{Code::kNotFound, "lease not found"});
  CHECK(a.ask<std::int64_t>(&Queries::renew_lease, std::int64_t{408}).error().code ==
        Code::kDeadlineExceeded);
  CHECK(a.ask<std::int64_t>(&Queries::renew_lease, std::int64_t{400}).error().code ==
        Code::kInvalidArgument);
  CHECK(a.ask<std::vector<MemberInfo>>(&Queries::promote, raft::NodeId(412)).error() ==
        Error{Code::kFailedPrecondition, "membership: can only promote a learner member"});
  CHECK(a.ask<std::vector<MemberInfo>>(&Queries::promote, raft::NodeId(500)).error().code ==
        Code::kInternal);
  CHECK(a.ask<HashKv>(&Queries::hash_kv, ClusterId(0xd), std::int64_t{9}).error().code ==
        Code::kFailedPrecondition);
  CHECK(a.ask<HashKv>(&Queries::hash_kv, ClusterId(0xc), std::int64_t{101}).error().message ==
        "mvcc: required revision is a future revision");
  CHECK(a.ask<bool>(&Queries::downgrade_enabled).error().code == Code::kNotFound);
}

TEST_CASE("nobody there, no URL, and after the stop") {
  Asker a;
  CHECK(a.ask_at<Versions>("http://127.0.0.1:1", &Queries::version).error().code ==
        Code::kUnavailable);
  CHECK(a.ask_at<std::string>("nonsense", &Queries::resolve).error().code ==
        Code::kInvalidArgument);
  CHECK(a.ask_at<std::string>("http://127.0.0.1:2380", &Queries::resolve).value() ==
        "http://127.0.0.1:2380");
  CHECK(a.ask_at<std::string>("http://[::1]:2380", &Queries::resolve).value() ==
        "http://[::1]:2380");
  if (truss::test_support::knows_localhost()) {
    CHECK(a.ask_at<std::string>("http://localhost:2380/x", &Queries::resolve)
              .value()
              .ends_with(":2380/x"));
  }
  a.queries.stop();
  CHECK(a.ask<Versions>(&Queries::version).error().code == Code::kCanceled);
  CHECK(a.ask_at<std::string>("http://localhost:1", &Queries::resolve).error().code ==
        Code::kCanceled);
  a.queries.stop();
}
