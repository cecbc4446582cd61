// truss_bench: closed-loop and open-loop load against etcd-compatible servers, in alternating
// pairs.
#include <sys/utsname.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <optional>

#include "group.h"
#include "load.h"
#include "open_load.h"
#include "report.h"
#include "subject.h"

namespace {

using namespace truss;         // NOLINT: a program
using namespace truss::bench;  // NOLINT

struct RunOptions {
  std::string member;
  std::string etcd;
  std::vector<std::string> member_flags;
  std::vector<std::string> etcd_flags;
  std::string address;
  std::size_t members = 1;
  std::vector<std::string> ops = {"put",  "get-lin", "get-ser", "range100",
                                  "txn4", "mixed",   "lease"};
  std::vector<std::size_t> clients = {1, 64};
  std::size_t pairs = 3;
  double seconds = 2.5;
  double rate = 0;
  double most_foreign = 0.35;
  std::string folder;
  std::string out;
};

/// Reads the counters of server, generator and machine at both ends of the measured time.
class Marks final : public LoadMarks {
 public:
  explicit Marks(const Group* group) : group_(group) {}
  void begin() override { first_ = read(); }
  void end() override { last_ = read(); }

  void fill(Sample& sample) const {
    const auto ops = static_cast<double>(std::max<std::uint64_t>(sample.operations, 1));
    const double server = last_.usage.cpu_seconds - first_.usage.cpu_seconds;
    const double own = last_.own - first_.own;
    sample.server_cpu_us = server * 1e6 / ops;
    sample.generator_cpu_us = own * 1e6 / ops;
    sample.wal_fsyncs = static_cast<double>(last_.usage.wal_fsyncs - first_.usage.wal_fsyncs) / ops;
    sample.rss_anon_mib = static_cast<double>(last_.usage.rss_anon_kib) / 1024;
    sample.rss_file_mib = static_cast<double>(last_.usage.rss_file_kib) / 1024;
    sample.foreign_cores =
        std::max(0.0, (last_.machine - first_.machine - server - own) / sample.seconds);
  }

 private:
  struct Reading {
    Usage usage;
    double own = 0;
    double machine = 0;
  };
  Reading read() const {
    Reading out{{}, own_cpu_seconds(), machine_busy_seconds()};
    if (group_ == nullptr) return out;
    if (auto usage = group_->usage()) out.usage = *usage;
    return out;
  }

  const Group* group_;
  Reading first_;
  Reading last_;
};

std::string machine_text() {
  utsname name{};
  ::uname(&name);
  return std::to_string(::sysconf(_SC_NPROCESSORS_ONLN)) + " processors, " + name.sysname + " " +
         name.release;
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

LoadSpec spec_of(const RunOptions& options, const std::string& op, std::size_t clients) {
  LoadSpec spec;
  spec.op = op;
  spec.clients = op == "watch" ? std::min<std::size_t>(clients, 4) : clients;
  spec.per_second = options.rate;
  spec.duration =
      std::chrono::duration_cast<Duration>(std::chrono::duration<double>(options.seconds));
  return spec;
}

Result<Sample> measure(const std::vector<std::string>& addresses, const Group* group,
                       const LoadSpec& spec) {
  Marks marks(group);
  TRUSS_ASSIGN(const LoadResult result, run_load(addresses, spec, marks));
  Sample sample;
  sample.subject = group != nullptr ? group->name() : addresses.front();
  sample.op = spec.op;
  if (spec.per_second > 0) sample.op += "@" + std::to_string(std::llround(spec.per_second));
  sample.clients = spec.clients;
  sample.operations = result.operations;
  sample.errors = result.errors;
  sample.seconds = result.seconds;
  sample.ops_per_second = static_cast<double>(result.operations) / result.seconds;
  sample.p50_ms = result.latency.quantile(0.50) / 1e6;
  sample.p99_ms = result.latency.quantile(0.99) / 1e6;
  marks.fill(sample);
  if (!result.first_error.empty()) std::cerr << spec.op << ": " << result.first_error << "\n";
  return sample;
}

/// Fresh servers, filled and restarted where the op reads, then measured.
Result<Sample> measure_fresh(const SubjectSpec& server, const RunOptions& options,
                             const LoadSpec& spec) {
  Group group(server, options.members, options.folder);
  TRUSS_TRY(group.start());
  if (needs_keys(spec.op)) {
    TRUSS_TRY(fill_keys(group.addresses().front(), spec));
    group.stop();
    TRUSS_TRY(group.start());
  }
  return measure(group.addresses(), &group, spec);
}

std::vector<SubjectSpec> subjects_of(const RunOptions& options) {
  std::vector<SubjectSpec> out;
  if (!options.member.empty()) out.push_back({"member", options.member, options.member_flags});
  if (!options.etcd.empty()) out.push_back({"etcd", options.etcd, options.etcd_flags});
  return out;
}

/// Measures until the machine was quiet enough, three times at most.
Result<Sample> measure_quiet(const SubjectSpec& server, const RunOptions& options,
                             const LoadSpec& spec) {
  std::optional<Sample> best;
  for (int i = 0; i < 3; ++i) {
    TRUSS_ASSIGN(Sample sample, measure_fresh(server, options, spec));
    if (!best || sample.foreign_cores < best->foreign_cores) best = sample;
    if (best->foreign_cores <= options.most_foreign) break;
  }
  return *best;
}

Result<void> run_pairs(const RunOptions& options, Report& report) {
  for (const std::string& op : options.ops) {
    for (const std::size_t clients : options.clients) {
      const LoadSpec spec = spec_of(options, op, clients);
      for (std::size_t pair = 0; pair < options.pairs; ++pair) {
        for (const SubjectSpec& server : subjects_of(options)) {
          TRUSS_ASSIGN(Sample sample, measure_quiet(server, options, spec));
          sample.pair = pair;
          std::cerr << op << " " << spec.clients << " " << server.name << " pair " << pair << ": "
                    << static_cast<long>(sample.ops_per_second) << " ops/s, "
                    << sample.server_cpu_us << " us/op\n";
          report.samples.push_back(std::move(sample));
        }
      }
      if (op == "watch") break;
    }
  }
  return {};
}

Result<void> run_address(const RunOptions& options, Report& report) {
  for (const std::string& op : options.ops) {
    for (const std::size_t clients : options.clients) {
      const LoadSpec spec = spec_of(options, op, clients);
      if (needs_keys(op)) TRUSS_TRY(fill_keys(options.address, spec));
      TRUSS_ASSIGN(Sample sample, measure({options.address}, nullptr, spec));
      report.samples.push_back(std::move(sample));
    }
  }
  return {};
}

int complain(const Error& error) {
  std::cerr << "truss_bench: " << error.message << "\n";
  return 3;
}

int run(RunOptions options, const std::string& command) {
  if (options.member.empty() && options.etcd.empty() && options.address.empty()) {
    std::cerr << "truss_bench: name a server: --member PATH, --etcd PATH or --address HOST:PORT\n";
    return 2;
  }
  const bool own_folder = options.folder.empty();
  if (own_folder) {
    std::string name = (std::filesystem::temp_directory_path() / "truss-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) return complain({Code::kInternal, "mkdtemp: " + name});
    options.folder = name;
  }
  Report report{command, machine_text(), utc_now(), {}};
  const Result<void> ran =
      options.address.empty() ? run_pairs(options, report) : run_address(options, report);
  if (own_folder) std::filesystem::remove_all(options.folder);
  std::cout << table(report, "etcd");
  if (!options.out.empty()) {
    if (auto saved = save_report(report, options.out); !saved) return complain(saved.error());
  }
  return ran ? 0 : complain(ran.error());
}

int compare(const std::string& earlier, const std::string& later) {
  const auto a = load_report(earlier);
  if (!a) return complain(a.error());
  const auto b = load_report(later);
  if (!b) return complain(b.error());
  std::cout << comparison(*a, *b);
  return 0;
}

/// One JSON object on standard output.
int snapshot(const std::string& address, std::size_t times) {
  const auto streams = stream_snapshots(address, times);
  if (!streams) return complain(streams.error());
  std::cout << "{\"bytes\": " << streams->bytes << ", \"seconds\": " << streams->seconds
            << ", \"client_cpu_seconds\": " << own_cpu_seconds() << "}\n";
  return 0;
}

/// Keys `big/…` in transactions of 128 puts.
int fill(const std::string& address, std::size_t keys, std::size_t value_bytes) {
  if (auto filled = fill_big(address, keys, value_bytes, 128); !filled) {
    return complain(filled.error());
  }
  return 0;
}

void add_run_options(CLI::App& app, RunOptions& options) {
  app.add_option("--member", options.member, "our server's program");
  app.add_option("--etcd", options.etcd, "real etcd's program");
  app.add_option("--member-flag", options.member_flags, "a further flag for --member (repeatable)");
  app.add_option("--etcd-flag", options.etcd_flags, "a further flag for --etcd (repeatable)");
  app.add_option("--address", options.address, "a server that runs already, HOST:PORT");
  app.add_option("--members", options.members, "servers of each cluster; counters are summed")
      ->check(CLI::Range(1, 9));
  app.add_option("--ops", options.ops, "what to measure")
      ->delimiter(',')
      ->check(CLI::IsMember(load_ops()));
  app.add_option("--clients", options.clients,
                 "requests under way at a time, over at most 12 connections")
      ->delimiter(',');
  app.add_option("--pairs", options.pairs, "alternating repetitions of each server");
  app.add_option("--seconds", options.seconds, "measured time of one run");
  app.add_option("--rate", options.rate,
                 "open loop: start so many requests a second, as from many clients, and measure "
                 "each from when it was due (--clients then only names the row)");
  app.add_option("--most-foreign", options.most_foreign,
                 "cores that others may use before a run is repeated (twice at most)");
  app.add_option("--folder", options.folder,
                 "where data directories go (default: a temporary one)");
  app.add_option("--out", options.out, "write the report, a Cereal JSON archive, to this file");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Load against etcd-compatible servers.");
  app.require_subcommand(1);
  RunOptions options;
  CLI::App* run_command = app.add_subcommand("run", "measure, alternating between the servers");
  add_run_options(*run_command, options);
  std::string earlier;
  std::string later;
  CLI::App* compare_command = app.add_subcommand("compare", "one report against another");
  compare_command->add_option("earlier", earlier)->required();
  compare_command->add_option("later", later)->required();
  std::string address;
  std::size_t times = 1;
  CLI::App* snapshot_command =
      app.add_subcommand("snapshot", "take a server's snapshot as a stream, and throw it away");
  snapshot_command->add_option("--address", address, "HOST:PORT")->required();
  snapshot_command->add_option("--times", times, "one after the other");
  std::size_t keys = 100'000;
  std::size_t value_bytes = 1024;
  CLI::App* fill_command = app.add_subcommand("fill", "write keys in transactions of 128 puts");
  fill_command->add_option("--address", address, "HOST:PORT")->required();
  fill_command->add_option("--keys", keys, "how many, rounded down to whole transactions");
  fill_command->add_option("--value-bytes", value_bytes, "of each");
  app.footer(
      "EXAMPLES\n  truss_bench run --member build/release/bin/member --etcd /usr/bin/etcd --out "
      "new.json\n"
      "  truss_bench run --address 127.0.0.1:2379 --ops put --clients 1,64,256\n"
      "  truss_bench compare old.json new.json");
  CLI11_PARSE(app, argc, argv);

  std::string command;
  for (int i = 0; i < argc; ++i) command += (i > 0 ? " " : "") + std::string(argv[i]);
  if (run_command->parsed()) return run(options, command);
  if (snapshot_command->parsed()) return snapshot(address, times);
  if (fill_command->parsed()) return fill(address, keys, value_bytes);
  return compare(earlier, later);
}
