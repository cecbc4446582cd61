#include "options.h"

#include <doctest/doctest.h>

#include "command_line.h"

using namespace truss;
using namespace truss::member;

namespace {

std::variant<Options, Exit> make(const std::vector<std::string>& words) {
  PosixFileSystem files;
  auto settings = read_settings(words, {}, files);
  if (auto* exit = std::get_if<Exit>(&settings)) return *std::move(exit);
  return make_options(std::get<Settings>(std::move(settings)));
}

Options options_of(const std::vector<std::string>& words) {
  auto got = make(words);
  if (const auto* exit = std::get_if<Exit>(&got)) FAIL(exit->err);
  return std::get<Options>(std::move(got));
}

std::string refusal_of(const std::vector<std::string>& words) {
  auto got = make(words);
  const auto* exit = std::get_if<Exit>(&got);
  if (exit == nullptr) return "";
  CHECK(exit->code == 1);
  return exit->err;
}

}  // namespace

TEST_CASE("options: defaults are etcd's") {
  const Options o = options_of({});
  CHECK(o.server.name == "default");
  CHECK(o.server.data_dir == "default.etcd");
  CHECK(o.server.initial_cluster == server::InitialCluster{{"default", {"http://localhost:2380"}}});
  CHECK(o.listen_client_urls == std::vector<std::string>{"http://localhost:2379"});
  CHECK(o.net.max_receive_message_bytes == 2097152);
  CHECK(o.net.keepalive_interval == std::chrono::hours(2));
  CHECK(!o.server.compat);
  CHECK(!o.server.pre_vote);
  CHECK(o.api.watch_progress_interval == std::chrono::minutes(10));
}

TEST_CASE("options: a name of one's own names the data directory and the cluster") {
  const Options o = options_of({"--name=m1", "--initial-advertise-peer-urls=http://10.0.0.1:2380"});
  CHECK(o.server.data_dir == "m1.etcd");
  CHECK(o.server.initial_cluster == server::InitialCluster{{"m1", {"http://10.0.0.1:2380"}}});
}

TEST_CASE("options: values reach their places") {
  const Options o =
      options_of({"--compat=3.4", "--pre-vote", "--snapshot-count=7", "--quota-backend-bytes=-1",
                  "--max-request-bytes=1000", "--heartbeat-interval=50", "--election-timeout=250",
                  "--auto-compaction-retention=2", "--cors=http://b:1,http://a:1",
                  "--log-level=debug", "--experimental-backend-bbolt-freelist-type=array",
                  "--experimental-watch-progress-notify-interval=1ms"});
  CHECK(o.server.compat == server::CompatLevel::k34);
  CHECK(o.server.pre_vote == true);
  CHECK(o.server.snapshot_count == 7);
  CHECK(o.server.quota_backend_bytes == -1);
  CHECK(o.net.max_receive_message_bytes == 1000 + 524288);
  CHECK(o.server.election_ticks() == 5);
  CHECK(o.server.auto_compaction == server::AutoCompaction::kPeriodic);
  CHECK(o.server.auto_compaction_retention == 2LL * 3600 * 1'000'000'000);
  CHECK(o.api.cors == std::vector<std::string>{"http://b:1", "http://a:1"});
  CHECK(o.log_level == LogLevel::kDebug);
  CHECK_FALSE(o.server.backend_freelist_map);
  CHECK(o.api.watch_progress_interval == std::chrono::milliseconds(100));
}

TEST_CASE("options: auto compaction") {
  CHECK(options_of({"--auto-compaction-retention=90m"}).server.auto_compaction_retention ==
        90LL * 60 * 1'000'000'000);
  const Options o =
      options_of({"--auto-compaction-mode=revision", "--auto-compaction-retention=9"});
  CHECK(o.server.auto_compaction == server::AutoCompaction::kRevision);
  CHECK(o.server.auto_compaction_retention == 9);
  CHECK(options_of({}).server.auto_compaction == server::AutoCompaction::kOff);
}

TEST_CASE("options: what can't be, in one line") {
  const std::pair<std::vector<std::string>, const char*> rows[] = {
      {{"--listen-client-urls=http://127.0.0.1:1"},
       "member: --advertise-client-urls is required when --listen-client-urls is set explicitly\n"},
      {{"--heartbeat-interval=300"},
       "member: --election-timeout[1000ms] should be at least as 5 times as "
       "--heartbeat-interval[300ms]\n"},
      {{"--election-timeout=50001"},
       "member: --election-timeout[50001ms] is too long, and should be set less than 50000ms\n"},
      {{"--listen-peer-urls=http://example.org:1"},
       "member: expected IP in URL for binding (http://example.org:1)\n"},
      {{"--logger=bad"}, "member: unknown logger option \"bad\"\n"},
      {{"--auto-compaction-mode=x"}, "member: unknown auto-compaction-mode \"x\"\n"},
      {{"--compat=3.3"}, "member: --compat=3.3: must be 3.4, 3.5, 3.6 or 3.7\n"},
      {{"--feature-gates=Nope=true"},
       "member: --feature-gates: unrecognized feature gate: Nope\n"}};
  for (const auto& [words, line] : rows) CHECK(refusal_of(words) == line);
}

TEST_CASE("options: what would change safety or meaning is refused, never ignored") {
  for (const char* word : {"--cert-file=/c", "--client-cert-auth", "--auto-tls=true",
                           "--peer-auto-tls", "--auth-token=jwt", "--discovery=http://x",
                           "--proxy=on", "--enable-v2", "--discovery-srv=example.org",
                           "--trusted-ca-file=/c", "--experimental-compact-hash-check-enabled",
                           "--feature-gates=CompactHashCheck=true", "--memory-mlock"}) {
    CAPTURE(word);
    const std::string line = refusal_of({word});
    CHECK(line.find("not supported yet") != std::string::npos);
    CHECK(std::count(line.begin(), line.end(), '\n') == 1);
  }
  CHECK(refusal_of({"--listen-peer-urls=https://127.0.0.1:1"}).find("TLS") != std::string::npos);
  CHECK(refusal_of({"--auto-tls=false", "--auth-token=simple", "--proxy=off"}).empty());
}

TEST_CASE("options: the comparisons of data between members, under their old and new names") {
  CHECK(options_of({"--corrupt-check-time=1h"}).server.corrupt_check_time == std::chrono::hours(1));
  CHECK(options_of({"--experimental-corrupt-check-time=5s"}).server.corrupt_check_time ==
        std::chrono::seconds(5));
  CHECK(options_of({"--experimental-initial-corrupt-check"}).server.initial_corrupt_check);
  CHECK(options_of({"--feature-gates=InitialCorruptCheck=true"}).server.initial_corrupt_check);
  CHECK_FALSE(options_of({}).server.initial_corrupt_check);
}

TEST_CASE("options: what endangers nothing is accepted with a warning") {
  const Options o = options_of({"--enable-pprof", "--bcrypt-cost=12", "--logger=zap"});
  REQUIRE(o.warnings.size() == 2);
  CHECK(o.warnings[0].value == "--bcrypt-cost=12");
  CHECK(o.warnings[1].value == "--enable-pprof=true");
}
