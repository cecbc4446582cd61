#include <doctest/doctest.h>

#include <set>

#include "lies.h"
#include "noticed.h"
#include "server_workload.h"

using namespace truss;
using namespace truss::testing;

// The sweep is itself proved: each promise taken away must make it fail.
namespace {

constexpr const char* kDb = "/data/member/member/snap/db";
constexpr int kOperations = 120;

bool noticed(ServerWorkload workload, const std::function<SimInjector()>& make_injector = {}) {
  workload.operations = kOperations;
  return sweep_notices(sweep_server, std::move(workload), 12, make_injector);
}

}  // namespace

TEST_CASE("the sweep fails without the fdatasync of the log") {
  CHECK(noticed({}, [] {
    return skip_matching([](const SimOp& op) {
      return op.kind == OpKind::kSyncData && op.path.starts_with("/data/member/member/wal/");
    });
  }));
}

TEST_CASE("the sweep fails if answers don't wait for the fdatasync of the log") {
  ServerWorkload workload;
  workload.sabotage.answer_before_sync = true;
  CHECK(noticed(workload));
}

TEST_CASE("the sweep fails without the data sync before the bolt meta page") {
  CHECK(noticed({}, [] { return skip_bolt_data_sync(kDb, 4096); }));
}

TEST_CASE("the sweep fails if the consistent index is left out of the transaction") {
  ServerWorkload workload;
  workload.sabotage.forget_consistent_index = true;
  CHECK(noticed(workload));
}

TEST_CASE("the sweep fails without any one of the directory syncs") {
  std::set<std::string> sites;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    ServerWorkload calm{.seed = seed, .operations = kOperations, .stride = 1'000'000};
    calm.injector = collect_dir_syncs(sites);
    const auto result = sweep_server(calm);
    CHECK_MESSAGE(result.failures == 0, result.report);
  }
  CHECK(sites.size() >= 9);
  for (const std::string& site : sites) {
    CAPTURE(site);
    MESSAGE("without the sync of ", site);
    ServerWorkload workload;
    // Beside the db, the making of the log syncs the directory that holds both once more.
    if (site == "/data/member/member after mkdir") workload.wal_dir = "/data/log";
    CHECK(noticed(workload, [&] { return skip_dir_sync(site); }));
  }
}
