// truss_memory_bench: does a server's memory stay where it is under hours of mixed load?
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <thread>

#include "load.h"
#include "subject.h"

namespace {

using namespace truss;         // NOLINT: a program
using namespace truss::bench;  // NOLINT

/// The values of watched puts are no longer.
constexpr std::size_t kOtherValueBytes = 64;

constexpr int kMostWithoutAnswer = 20;

struct Options {
  std::string program;
  std::vector<std::string> flags = {"--auto-compaction-mode=periodic",
                                    "--auto-compaction-retention=1m"};
  double minutes = 60;
  std::size_t clients = 16;
  double burst_seconds = 0.3;
  double pause_seconds = 1;
  double most_growth = 0.05;
};

/// Anonymous memory at one time.
struct Row {
  double minute = 0;
  double rss_anon_mib = 0;
};

/// Keys, values and history stay within bounds, so memory should.
class Soak {
 public:
  Soak(const Options& options, Subject& subject)
      : options_(options), subject_(subject), start_(clock_.now()) {}

  Result<std::vector<Row>> run() {
    TRUSS_TRY(fill_keys(subject_.address(), LoadSpec{}));
    std::cout << "minute  operations  RssAnon MiB  RssFile MiB  CPU s" << std::endl;
    for (std::size_t i = 0; minutes() < options_.minutes; ++i) {
      TRUSS_TRY(burst(load_ops()[i % load_ops().size()], i));
      if (minutes() >= next_row_) TRUSS_TRY(note());
      std::this_thread::sleep_for(std::chrono::duration<double>(options_.pause_seconds));
    }
    return std::move(rows_);
  }

 private:
  struct NoMarks final : LoadMarks {
    void begin() override {}
    void end() override {}
  };

  double minutes() const {
    return std::chrono::duration<double>(clock_.now() - start_).count() / 60;
  }

  Result<void> burst(const std::string& op, std::uint64_t seed) {
    LoadSpec spec;
    spec.op = op;
    spec.seed = seed;
    spec.clients = op == "watch" ? 4 : options_.clients;
    spec.warm_up = {};
    if (op != "put") spec.value_bytes = kOtherValueBytes;  // no answer is shorter than its values
    spec.duration =
        std::chrono::duration_cast<Duration>(std::chrono::duration<double>(options_.burst_seconds));
    NoMarks marks;
    const auto result = run_load({subject_.address()}, spec, marks);
    // A short burst on a busy machine may end before its first answer.
    if (!result && ++without_answer_ < kMostWithoutAnswer) return {};
    if (!result) return tl::unexpected(result.error());
    if (result->errors > 0) return fail(Code::kUnavailable, op + ": " + result->first_error);
    without_answer_ = 0;
    operations_ += result->operations;
    return {};
  }

  Result<void> note() {
    TRUSS_ASSIGN(const Usage usage, subject_.usage());
    rows_.push_back({minutes(), static_cast<double>(usage.rss_anon_kib) / 1024});
    next_row_ = rows_.back().minute + 1;
    std::cout << std::fixed << std::setprecision(1) << std::setw(6) << rows_.back().minute
              << std::setw(12) << operations_ << std::setw(13) << rows_.back().rss_anon_mib
              << std::setw(13) << static_cast<double>(usage.rss_file_kib) / 1024 << std::setw(7)
              << usage.cpu_seconds << std::endl;
    return {};
  }

  const Options& options_;
  Subject& subject_;
  SystemClock clock_;
  MonoTime start_;
  double next_row_ = 0;
  int without_answer_ = 0;  // bursts, one after the other
  std::uint64_t operations_ = 0;
  std::vector<Row> rows_;
};

double median(std::vector<Row>::const_iterator first, std::vector<Row>::const_iterator last) {
  std::vector<double> values;
  for (; first != last; ++first) values.push_back(first->rss_anon_mib);
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Compares the last third with the one before; the first warms up. Gives the exit code.
int judge(const std::vector<Row>& rows, double most_growth) {
  if (rows.size() < 9) {
    std::cout << "too short to judge: " << rows.size() << " of at least 9 rows\n";
    return 2;
  }
  const auto third = static_cast<std::ptrdiff_t>(rows.size() / 3);
  const double before = median(rows.end() - 2 * third, rows.end() - third);
  const double after = median(rows.end() - third, rows.end());
  const double growth = after / before - 1;
  std::cout << "RssAnon, medians of the second and the last third: " << before << " and " << after
            << " MiB, " << std::showpos << 100 * growth << std::noshowpos << " % (most "
            << 100 * most_growth << " %)\n";
  return growth <= most_growth ? 0 : 1;
}

int run(const Options& options) {
  const std::string folder =
      std::filesystem::temp_directory_path() / ("truss-memory-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  int code = 3;
  {
    Subject subject({"subject", options.program, options.flags}, folder);
    auto rows = subject.start().and_then([&] { return Soak(options, subject).run(); });
    if (rows) {
      code = judge(*rows, options.most_growth);
    } else {
      std::cerr << rows.error().message << "\n";
    }
  }
  std::filesystem::remove_all(folder);
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Mixed load in bursts on one server; fails if its anonymous memory grows."};
  app.add_option("--program", options.program, "member or etcd")->required();
  app.add_option("--flag", options.flags,
                 "flags of it, instead of those that compact every minute");
  app.add_option("--minutes", options.minutes, "how long")->capture_default_str();
  app.add_option("--clients", options.clients, "of a burst")->capture_default_str();
  app.add_option("--burst-seconds", options.burst_seconds, "each op in turn")
      ->capture_default_str();
  app.add_option("--pause-seconds", options.pause_seconds, "between bursts")->capture_default_str();
  app.add_option("--most-growth", options.most_growth, "share, last third to the one before")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return run(options);
}
