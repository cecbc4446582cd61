// truss_join_bench: a fresh member joins a cluster of three that holds a large database, under
// load: ours against real etcd, in alternating pairs.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cereal/archives/json.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>
#include <filesystem>
#include <fstream>
#include <future>
#include <iostream>
#include <optional>
#include <thread>

#include "../cluster/links.h"
#include "group.h"
#include "heartbeat_tap.h"
#include "load.h"
#include "truss/client/client.h"
#include "truss/tool/child_process.h"
#include "wire.h"

namespace {

using namespace truss;         // NOLINT: a program
using namespace truss::bench;  // NOLINT
using namespace std::chrono_literals;

struct Options {
  std::string member;
  std::string etcd;
  std::vector<std::string> member_flags;
  std::vector<std::string> etcd_flags;
  std::size_t mib = 1300;
  std::size_t value_bytes = 4096;
  std::size_t pairs = 1;
  std::size_t clients = 16;
  std::uint64_t heartbeat_ms = 100;
  double seconds = 20;
  bool sniff = false;
  bool slowest = false;
  std::string evidence;
  std::string folder;
  std::string out;
};

/// One member's joining. Times in seconds from its start, latencies in milliseconds.
struct Sample {
  std::string subject;
  double db_mib = 0;
  double transfer_seconds = 0;  ///< from the first byte in its folder to the whole database
  double mib_per_second = 0;
  double first_byte_after = 0;
  double serves_after = 0;  ///< a local read is answered
  double put_p50_before_ms = 0;
  double put_p99_before_ms = 0;
  double put_p99_ms = 0;
  double put_worst_ms = 0;
  double put_worst_at = 0;  ///< when it was sent
  double elections = 0;     ///< terms that passed meanwhile
  double heartbeat_gaps = 0;
  double gap_p999_intervals = 0;  ///< in heartbeat intervals
  double gap_longest_intervals = 0;

  template <class Archive>
  void serialize(Archive& a) {
    a(CEREAL_NVP(subject), CEREAL_NVP(db_mib), CEREAL_NVP(transfer_seconds),
      CEREAL_NVP(mib_per_second), CEREAL_NVP(first_byte_after), CEREAL_NVP(serves_after),
      CEREAL_NVP(put_p50_before_ms), CEREAL_NVP(put_p99_before_ms), CEREAL_NVP(put_p99_ms),
      CEREAL_NVP(put_worst_ms), CEREAL_NVP(put_worst_at), CEREAL_NVP(elections),
      CEREAL_NVP(heartbeat_gaps), CEREAL_NVP(gap_p999_intervals),
      CEREAL_NVP(gap_longest_intervals));
  }
};

double seconds_between(MonoTime from, MonoTime to) {
  return std::chrono::duration<double>(to - from).count();
}

struct NoMarks final : LoadMarks {
  void begin() override {}
  void end() override {}
};

LoadSpec puts(std::size_t clients, double seconds) {
  LoadSpec spec;
  spec.op = "put";
  spec.clients = clients;
  spec.duration = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
  return spec;
}

/// The largest file in the folder where a snapshot arrives, by name and size.
std::pair<std::string, std::uintmax_t> largest_file(const std::string& folder) {
  std::pair<std::string, std::uintmax_t> out;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    std::error_code gone;
    const std::uintmax_t size = std::filesystem::file_size(entry.path(), gone);
    if (!gone && size > out.second) out = {entry.path().filename().string(), size};
  }
  return out;
}

bool is_whole(const std::string& name) { return name == "db" || name.ends_with(".snap.db"); }

/// A cluster of three with its database, and one more seat.
class Join {
 public:
  Join(const Options& options, const SubjectSpec& spec)
      : options_(options),
        group_(spec, 3, options.folder),
        joiner_(spec, options.folder, "joiner"),
        links_(ports()) {
    if (options.sniff) {
      group_.advertise({ports_[0].dialled, ports_[1].dialled, ports_[2].dialled});
      tap_.attach(links_);
    }
  }

  Result<Sample> run() {
    TRUSS_TRY(group_.start());
    for (std::size_t i = 0; i < group_.size(); ++i) links_.set_pid(i, group_.member(i).pid());
    Sample sample;
    sample.subject = group_.name();
    const std::string leader = group_.addresses().front();
    TRUSS_TRY(fill_big(leader, options_.mib * 1024 * 1024 / options_.value_bytes,
                       options_.value_bytes, 32));
    NoMarks marks;
    TRUSS_ASSIGN(const LoadResult before, run_load({leader}, puts(options_.clients, 3), marks));
    sample.put_p50_before_ms = before.latency.quantile(0.5) / 1e6;
    sample.put_p99_before_ms = before.latency.quantile(0.99) / 1e6;
    TRUSS_ASSIGN(const std::uint64_t term, term_of(leader));
    TRUSS_TRY(add_seat(leader));
    tap_.begin();
    auto load = std::async(std::launch::async, [&] {
      return run_load({leader}, puts(options_.clients, options_.seconds), marks);
    });
    std::this_thread::sleep_for(500ms);
    const Result<void> joined = watch_joiner(sample);
    TRUSS_ASSIGN(const LoadResult during, load.get());
    TRUSS_TRY(joined);
    sample.put_p99_ms = during.latency.quantile(0.99) / 1e6;
    note_slowest(sample, during);
    TRUSS_ASSIGN(const std::uint64_t last_term, term_of(leader));
    sample.elections = static_cast<double>(last_term - term);
    note_gaps(sample);
    keep_evidence();
    return sample;
  }

 private:
  std::vector<cluster::Links::Ports> ports() {
    for (int i = 0; i < 3; ++i) {
      const std::string& address = group_.member(static_cast<std::size_t>(i)).peer_address();
      ports_.push_back({tool::free_port(), std::stoi(address.substr(address.rfind(':') + 1))});
    }
    ports_.push_back({tool::free_port(), 0});  // nobody dials the joiner's proxy
    return ports_;
  }

  Result<std::uint64_t> term_of(const std::string& address) {
    TRUSS_ASSIGN(const client::Status status, client::Client(clock_, address).status());
    return status.header.raft_term;
  }

  /// Etcd refuses until its members were connected for five seconds.
  Result<void> add_seat(const std::string& leader) {
    net::IoThread thread("join", clock_);
    net::Channel channel(thread, clock_, leader);
    Result<SharedBytes> answer = fail(Code::kUnavailable, "not asked");
    for (int i = 0; i < 20 && !answer; ++i) {
      if (i > 0) std::this_thread::sleep_for(500ms);
      std::promise<Result<SharedBytes>> promise;
      channel.unary("/etcdserverpb.Cluster/MemberAdd",
                    member_add_request("http://" + joiner_.peer_address()),
                    [&](Result<SharedBytes> got) { promise.set_value(std::move(got)); });
      answer = promise.get_future().get();
    }
    if (!answer) return tl::unexpected(answer.error());
    joiner_.join(group_.initial_cluster() + "," + joiner_.seat_and_url(), true);
    return {};
  }

  Result<void> watch_joiner(Sample& sample) {
    const std::string folder = joiner_.data() + "/data/member/snap";
    const std::uintmax_t enough = options_.mib * 1024 * 1024 / 2;
    TRUSS_TRY(joiner_.launch());
    links_.set_pid(3, joiner_.pid());
    started_ = clock_.now();
    const MonoTime started = started_;
    std::optional<MonoTime> first;
    std::optional<MonoTime> whole;
    client::Client client(clock_, joiner_.address(),
                          {.timeout = 200ms, .token = {}, .channel = {}});
    while (seconds_between(started, clock_.now()) < 120) {
      const auto [name, size] = largest_file(folder);
      if (!first && size > 64 * 1024 && !is_whole(name)) first = clock_.now();
      if (!whole && size > enough && is_whole(name)) {
        whole = clock_.now();
        sample.db_mib = static_cast<double>(size) / 1048576;
      }
      if (whole && client.get("big/", true)) {
        sample.serves_after = seconds_between(started, clock_.now());
        sample.first_byte_after = seconds_between(started, first.value_or(started));
        sample.transfer_seconds = seconds_between(first.value_or(started), *whole);
        sample.mib_per_second = sample.db_mib / sample.transfer_seconds;
        return {};
      }
      std::this_thread::sleep_for(2ms);
    }
    return fail(Code::kDeadlineExceeded, "the joiner doesn't serve");
  }

  void note_slowest(Sample& sample, const LoadResult& during) const {
    sample.put_worst_ms = static_cast<double>(during.slowest.front().took.count()) / 1e6;
    sample.put_worst_at = seconds_between(started_, during.slowest.front().started);
    if (!options_.slowest) return;
    for (const TimedCall& call : during.slowest) {
      std::printf("  at %.3f s: %.1f ms\n", seconds_between(started_, call.started),
                  static_cast<double>(call.took.count()) / 1e6);
    }
  }

  /// Logs and metrics of all members, for whoever asks where the time went.
  void keep_evidence() {
    if (options_.evidence.empty()) return;
    std::filesystem::create_directories(options_.evidence);
    for (std::size_t i = 0; i < group_.size(); ++i) keep(group_.member(i), "m" + std::to_string(i));
    keep(joiner_, "joiner");
  }

  void keep(const Subject& member, const std::string& seat) {
    const std::string stem = options_.evidence + "/" + group_.name() + "-" + seat;
    std::ofstream(stem + ".metrics") << http_get(member.address(), "/metrics").value_or("");
    std::error_code ignored;
    std::filesystem::copy_file(member.data() + "/log", stem + ".log",
                               std::filesystem::copy_options::overwrite_existing, ignored);
  }

  void note_gaps(Sample& sample) {
    const std::vector<Duration> gaps = tap_.gaps();
    sample.heartbeat_gaps = static_cast<double>(gaps.size());
    if (gaps.empty()) return;
    const double interval = static_cast<double>(options_.heartbeat_ms) * 1e6;
    const std::size_t at = std::min(gaps.size() - 1, gaps.size() * 999 / 1000);
    sample.gap_p999_intervals = static_cast<double>(gaps[at].count()) / interval;
    sample.gap_longest_intervals = static_cast<double>(gaps.back().count()) / interval;
  }

  const Options& options_;
  SystemClock clock_;
  Group group_;
  Subject joiner_;
  std::vector<cluster::Links::Ports> ports_;
  HeartbeatTap tap_;
  cluster::Links links_;
  MonoTime started_;  ///< the joiner
};

SubjectSpec spec_of(const Options& options, bool ours) {
  SubjectSpec spec{ours ? "member" : "etcd", ours ? options.member : options.etcd,
                   ours ? options.member_flags : options.etcd_flags};
  spec.flags.push_back("--heartbeat-interval=" + std::to_string(options.heartbeat_ms));
  spec.flags.push_back("--election-timeout=1000");
  spec.flags.push_back("--snapshot-count=1000");  // so that the log can't serve a fresh member
  return spec;
}

void print(const Sample& s) {
  std::printf(
      "%-7s %6.0f MiB in %6.2f s = %6.0f MiB/s, from %.2f s on, serves after %6.2f s; "
      "puts p50 %.2f p99 %.2f ms before, p99 %.2f worst %.1f ms (at %.2f s) meanwhile; %.0f "
      "elections",
      s.subject.c_str(), s.db_mib, s.transfer_seconds, s.mib_per_second, s.first_byte_after,
      s.serves_after, s.put_p50_before_ms, s.put_p99_before_ms, s.put_p99_ms, s.put_worst_ms,
      s.put_worst_at, s.elections);
  if (s.heartbeat_gaps > 0) {
    std::printf("; %.0f heartbeat gaps, 99.9 %% %.2f, longest %.2f intervals", s.heartbeat_gaps,
                s.gap_p999_intervals, s.gap_longest_intervals);
  }
  std::printf("\n");
  std::fflush(stdout);
}

int run(Options options) {
  std::string name = (std::filesystem::temp_directory_path() / "truss-join-XXXXXX").string();
  if (options.folder.empty()) options.folder = ::mkdtemp(name.data()) == nullptr ? "" : name;
  std::vector<Sample> samples;
  int rc = 0;
  for (std::size_t pair = 0; pair < options.pairs && rc == 0; ++pair) {
    for (const bool ours : {true, false}) {
      if ((ours ? options.member : options.etcd).empty()) continue;
      const auto sample = Join(options, spec_of(options, ours)).run();
      if (!sample) {
        std::cerr << "truss_join_bench: " << sample.error().message << "\n";
        rc = 3;
        break;
      }
      print(*sample);
      samples.push_back(*sample);
    }
  }
  if (options.folder == name) std::filesystem::remove_all(name);
  if (options.out.empty()) return rc;
  std::ofstream out(options.out);
  cereal::JSONOutputArchive archive(out);
  archive(cereal::make_nvp("samples", samples));
  return rc;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("A fresh member joins a cluster that holds a large database, under load.");
  Options options;
  app.add_option("--member", options.member, "our server's program");
  app.add_option("--etcd", options.etcd, "real etcd's program");
  app.add_option("--member-flag", options.member_flags, "a further flag for --member (repeatable)");
  app.add_option("--etcd-flag", options.etcd_flags, "a further flag for --etcd (repeatable)");
  app.add_option("--mib", options.mib, "of values in the database");
  app.add_option("--value-bytes", options.value_bytes, "of one value");
  app.add_option("--pairs", options.pairs, "alternating repetitions of each server");
  app.add_option("--clients", options.clients, "that put, one request each at a time");
  app.add_option("--seconds", options.seconds, "how long the load goes on from the start");
  app.add_option("--heartbeat-ms", options.heartbeat_ms, "interval of heartbeats");
  app.add_flag("--sniff", options.sniff, "measure gaps between heartbeats, through proxies");
  app.add_flag("--slowest", options.slowest, "list the slowest puts, with times from the start");
  app.add_option("--evidence", options.evidence, "keep logs and metrics of the last run there");
  app.add_option("--folder", options.folder, "where data goes (default: a temporary one)");
  app.add_option("--out", options.out, "write the samples, a Cereal JSON archive, to this file");
  CLI11_PARSE(app, argc, argv);
  return run(options);
}
