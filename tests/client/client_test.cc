// The client against real etcd 3.4.23, where TRUSS_ORACLE names the folder of its programs.
#include "truss/client/client.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "../bench/subject.h"

namespace truss::client {
namespace {

using namespace std::chrono_literals;

/// One real etcd for all cases of this program; null (and a line that says so) without it.
bench::Subject* real_etcd() {
  static const std::string folder = "/tmp/truss-client-test-" + std::to_string(::getpid());
  static std::optional<bench::Subject> etcd;
  static const bool started = [] {
    const char* programs = std::getenv("TRUSS_ORACLE");
    const std::string program = std::string(programs != nullptr ? programs : "") + "/etcd";
    if (programs == nullptr || !std::filesystem::exists(program)) return false;
    etcd.emplace(bench::SubjectSpec{"etcd", program, {}}, folder);
    const auto up = etcd->start();
    REQUIRE_MESSAGE(up, up.error().message);
    return true;
  }();
  if (!started) std::puts("SKIPPED: no real etcd");
  return started ? &*etcd : nullptr;
}

TEST_CASE("keys, ranges, deletes and compaction against real etcd") {
  bench::Subject* etcd = real_etcd();
  if (etcd == nullptr) return;
  SystemClock clock;
  Client client(clock, "http://" + etcd->address());
  const auto first = client.put("k/1", "one");
  REQUIRE(first);
  const auto second = client.put("k/2", std::string("\0\xff", 2));
  REQUIRE(second);
  CHECK(second->revision == first->revision + 1);
  CHECK(second->member_id != 0);

  const auto got = client.get("k/2");
  REQUIRE(got);
  REQUIRE(*got);
  CHECK((*got)->value == std::string("\0\xff", 2));
  CHECK((*got)->mod_revision == second->revision);
  CHECK((*got)->version == 1);
  const auto none = client.get("k/3", true);
  REQUIRE(none);
  CHECK_FALSE(*none);

  const auto range = client.range("k/", "k0", 1);
  REQUIRE(range);
  CHECK(range->kvs.size() == 1);
  CHECK(range->count == 2);
  CHECK(range->more);
  CHECK(client.remove("k/", "k0") == Result<std::int64_t>(2));
  REQUIRE(client.compact(second->revision, true));
  const auto compacted = client.range("k/", "k0", 0, first->revision);
  REQUIRE_FALSE(compacted);
  CHECK(compacted.error() ==
        Error{Code::kOutOfRange, "etcdserver: mvcc: required revision has been compacted"});
}

TEST_CASE("leases against real etcd") {
  bench::Subject* etcd = real_etcd();
  if (etcd == nullptr) return;
  SystemClock clock;
  Client client(clock, etcd->address());
  const auto lease = client.grant_lease(60);
  REQUIRE(lease);
  REQUIRE(client.put("leased", "x", *lease));
  CHECK(client.revoke_lease(*lease));
  const auto gone = client.get("leased");
  REQUIRE(gone);
  CHECK_FALSE(*gone);
  const auto again = client.revoke_lease(*lease);
  REQUIRE_FALSE(again);
  CHECK(again.error() == Error{Code::kNotFound, "etcdserver: requested lease not found"});
}

TEST_CASE("maintenance against real etcd") {
  bench::Subject* etcd = real_etcd();
  if (etcd == nullptr) return;
  SystemClock clock;
  Client client(clock, etcd->address());
  const auto status = client.status();
  REQUIRE(status);
  CHECK(status->version == "3.4.23");
  CHECK(status->leader == status->header.member_id);
  CHECK(status->db_size_bytes > 0);
  const auto members = client.members();
  REQUIRE(members);
  REQUIRE(members->size() == 1);
  CHECK(members->front().name == "bench");
  CHECK(members->front().client_urls == std::vector<std::string>{"http://" + etcd->address()});
  const auto hash = client.hash_kv();
  REQUIRE(hash);
  CHECK(client.hash_kv()->hash == hash->hash);
  CHECK(client.defragment());
}

TEST_CASE("a snapshot streams to the sink and ends with its digest") {
  bench::Subject* etcd = real_etcd();
  if (etcd == nullptr) return;
  SystemClock clock;
  Client client(clock, etcd->address());
  std::string all;
  std::uint64_t last_remaining = 1;
  const auto bytes = client.snapshot([&](const Client::SnapshotPiece& piece) -> Result<void> {
    all.append(piece.bytes);
    last_remaining = piece.remaining_bytes;
    return {};
  });
  REQUIRE(bytes);
  CHECK(*bytes == all.size());
  CHECK(all.size() % 512 == 32);  // pages and a SHA-256
  CHECK(last_remaining == 0);
  const auto refused = client.snapshot([](const Client::SnapshotPiece&) -> Result<void> {
    return fail(Code::kDataLoss, "disk full");
  });
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == "disk full");
  CHECK(client.status());
}

TEST_CASE("a member that isn't there") {
  SystemClock clock;
  Client client(clock, "127.0.0.1:1", {.timeout = 2s, .token = {}, .channel = {}});
  const auto status = client.status();
  REQUIRE_FALSE(status);
  CHECK(status.error().code == Code::kUnavailable);
  CHECK(status.error().message.find("127.0.0.1:1") != std::string::npos);
}

}  // namespace
}  // namespace truss::client
