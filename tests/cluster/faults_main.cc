// Faults under load against a cluster of three processes: kills, pauses, cut links.
//   truss_cluster_faults --member PROGRAM [--member PROGRAM --member PROGRAM] --dir FOLDER
//     [--rounds N] [--seed N] [--flag FLAG ...] [--ours-flag FLAG ...] [--only FAULT]
// One --member: all three are that program. --ours-flag goes to programs named `member` only.

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "faults.h"

namespace truss::cluster {
namespace {

constexpr std::uint64_t kHeartbeatMs = 25;
constexpr std::uint64_t kElectionMs = 500;

struct Options {
  std::vector<std::string> members;
  std::vector<std::string> flags;
  std::vector<std::string> ours_flags;
  std::string dir;
  std::string only;
  std::uint64_t rounds = kFaults;
  std::uint64_t seed = 1;
};

bool is_ours(const std::string& program) {
  return std::filesystem::path(program).filename() == "member";
}

bool some_real(const Options& options) {
  return !std::all_of(options.members.begin(), options.members.end(), is_ours);
}

std::vector<MemberSpec> specs_of(const Options& options) {
  std::vector<MemberSpec> out;
  for (std::size_t i = 0; i < 3; ++i) {
    MemberSpec spec{options.members[i % options.members.size()], options.flags};
    spec.flags.push_back("--heartbeat-interval=" + std::to_string(kHeartbeatMs));
    spec.flags.push_back("--election-timeout=" + std::to_string(kElectionMs));
    if (is_ours(spec.program)) {
      spec.flags.insert(spec.flags.end(), options.ours_flags.begin(), options.ours_flags.end());
    }
    out.push_back(std::move(spec));
  }
  return out;
}

/// Elections of all rounds, in milliseconds.
void print_elections(std::vector<double>& times) {
  if (times.empty()) return;
  std::sort(times.begin(), times.end());
  std::printf("%zu elections: median %.0f ms, 90 %% %.0f ms, longest %.0f ms (time-out %llu ms)\n",
              times.size(), times[times.size() / 2], times[times.size() * 9 / 10], times.back(),
              static_cast<unsigned long long>(kElectionMs));
}

void print_round(std::uint64_t number, Fault fault, const RoundResult& result) {
  std::printf("round %llu, %s: %zu calls, %llu without verdict",
              static_cast<unsigned long long>(number), std::string(name_of(fault)).c_str(),
              result.operations, static_cast<unsigned long long>(result.unknown));
  if (result.election) {
    std::printf(", leader after %.0f ms",
                std::chrono::duration<double>(*result.election).count() * 1e3);
  }
  if (result.elections_lost > 0) {
    std::printf(" (%llu lost elections)", static_cast<unsigned long long>(result.elections_lost));
  }
  std::printf("%s%s\n", result.wrong.empty() ? "" : ": FAILED: ", result.wrong.c_str());
  std::fflush(stdout);
}

/// The faults in random order, each once before any comes again.
class Deck {
 public:
  explicit Deck(Random& random) : random_(random) {}
  Fault draw() {
    if (left_.empty()) {
      for (std::size_t i = 0; i < kFaults; ++i) left_.push_back(static_cast<Fault>(i));
    }
    const std::size_t at = random_.below(left_.size());
    const Fault out = left_[at];
    left_.erase(left_.begin() + static_cast<std::ptrdiff_t>(at));
    return out;
  }

 private:
  Random& random_;
  std::vector<Fault> left_;
};

int run(const Options& options) {
  SystemClock clock;
  SeededRandom random(options.seed);
  Members members(clock, specs_of(options), options.dir);
  LoadOptions load_options;
  load_options.endpoints = members.endpoints();
  load_options.seed = random.next();
  Load load(clock, load_options);
  members.start_all();
  if (!members.all_serve(std::chrono::seconds(30))) {
    std::printf("FAILED: the cluster doesn't start; its logs are in %s\n", options.dir.c_str());
    return 1;
  }
  FaultRound round(clock, members, load,
                   {.election_timeout = std::chrono::milliseconds(kElectionMs),
                    .etcds_elections = some_real(options)},
                   random);
  Deck deck(random);
  std::vector<double> elections;
  std::size_t calls = 0;
  for (std::uint64_t number = 1; number <= options.rounds; ++number) {
    Fault fault = deck.draw();
    while (!options.only.empty() && name_of(fault) != options.only) fault = deck.draw();
    const RoundResult result = round.run(fault, number);
    print_round(number, fault, result);
    calls += result.operations;
    if (result.election) {
      elections.push_back(std::chrono::duration<double>(*result.election).count() * 1e3);
    }
    if (result.wrong.empty()) continue;
    if (auto saved = save_history(result.history, options.dir + "/history"); !saved) return 3;
    std::printf("seed %llu; data, logs and the history are in %s\n",
                static_cast<unsigned long long>(options.seed), options.dir.c_str());
    return 1;
  }
  print_elections(elections);
  std::printf("%llu rounds, %zu calls, every history linearizable, every hash alike\n",
              static_cast<unsigned long long>(options.rounds), calls);
  std::filesystem::remove_all(options.dir);
  return 0;
}

bool known_fault(const std::string& name) {
  for (std::size_t i = 0; i < kFaults; ++i) {
    if (name == name_of(static_cast<Fault>(i))) return true;
  }
  return name.empty();
}

bool parse(int argc, char** argv, Options& out) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i];
    const std::string value = argv[i + 1];
    if (flag == "--member")
      out.members.push_back(value);
    else if (flag == "--flag")
      out.flags.push_back(value);
    else if (flag == "--ours-flag")
      out.ours_flags.push_back(value);
    else if (flag == "--dir")
      out.dir = value;
    else if (flag == "--only")
      out.only = value;
    else if (flag == "--rounds")
      out.rounds = std::strtoull(value.c_str(), nullptr, 10);
    else if (flag == "--seed")
      out.seed = std::strtoull(value.c_str(), nullptr, 10);
    else
      return false;
  }
  return argc % 2 == 1 && !out.members.empty() && !out.dir.empty() && known_fault(out.only);
}

}  // namespace
}  // namespace truss::cluster

int main(int argc, char** argv) {
  truss::cluster::Options options;
  if (!truss::cluster::parse(argc, argv, options)) {
    std::fprintf(stderr,
                 "usage: truss_cluster_faults --member PROGRAM ... --dir FOLDER [--rounds N] "
                 "[--seed N] [--flag FLAG] [--ours-flag FLAG] [--only FAULT]\n");
    return 2;
  }
  std::filesystem::remove_all(options.dir);
  return truss::cluster::run(options);
}
